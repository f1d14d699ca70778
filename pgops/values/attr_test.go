package values

import (
	"errors"
	"testing"

	"github.com/pgrescue/pgrescue/pgops/pgdisk"
)

func TestNextValue(t *testing.T) {
	b := []byte{1, 0, 0, 0, 7, 7, 7, 7, 3, 0, 0, 0, 24, 0, 0, 0, 'a', 'b', 'c', 0, 'x', 0, 0, 0}
	rows := []struct {
		name       string
		off        int
		length     int16
		align      byte
		start, end int // 0, 0 when refused
	}{
		{"aligned to 4", 1, 4, 'i', 4, 8},
		{"aligned to 8", 1, 8, 'd', 8, 16},
		{"aligned to 2", 1, 2, 's', 2, 4},
		{"not aligned", 1, 2, 'c', 1, 3},
		{"a short varlena is not aligned", 8, -1, 'i', 8, 9},
		{"a long varlena is", 9, -1, 'i', 12, 18},
		{"a varlena after padding to 8", 13, -1, 'd', 0, 0}, // what lies at 16 is a short one, too long
		{"a string", 16, -2, 'c', 16, 20},
		{"an empty string", 19, -2, 'c', 19, 20},
		{"the last bytes", 20, 4, 'i', 20, 24},
		{"one byte too many", 21, 4, 'c', 0, 0},
		{"padding to beyond the end", 22, 4, 'd', 0, 0},
		{"nothing left of a varlena", 24, -1, 'i', 0, 0},
		{"nothing left of a string", 24, -2, 'c', 0, 0},
		{"an offset beyond the end", 25, 1, 'c', 0, 0},
		{"a negative offset", -1, 1, 'c', 0, 0},
		{"length 0", 0, 0, 'c', 0, 0},
		{"length -3", 0, -3, 'c', 0, 0},
		{"an alignment of no name", 0, 4, 'x', 0, 0},
		{"a varlena of zeros", 21, -1, 'c', 0, 0},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			start, end, err := NextValue(b, row.off, row.length, row.align)
			if start != row.start || end != row.end || (err == nil) != (row.end > 0) {
				t.Errorf("got %d to %d, %v, want %d to %d", start, end, err, row.start, row.end)
			}
			var bad *pgdisk.FormatError
			if err != nil && !errors.As(err, &bad) {
				t.Errorf("%v is no format error", err)
			}
		})
	}
	if start, end, err := NextValue([]byte("abc"), 0, -2, 'c'); err == nil {
		t.Errorf("a string without end: %d to %d", start, end)
	}
}
