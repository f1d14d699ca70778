package demo

import (
	"encoding/binary"
	"strings"
	"testing"
)

func TestOptions(t *testing.T) {
	tests := []struct {
		name string
		opt  Options
		want string // in the error; empty: none
	}{
		{"defaults", Options{Name: "x"}, ""},
		{"no name", Options{}, "not a container name"},
		{"name with a slash", Options{Name: "a/b"}, "not a container name"},
		{"unknown cut", Options{Name: "x", Cut: "half"}, `cannot cut "half"`},
		{"nothing broken", Options{Name: "x", FullPageWrites: true, Cut: CutNone}, "nothing broken"},
		{"too few rows", Options{Name: "x", Rows: 10}, "at least 3000"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := tt.opt.withDefaults()
			if tt.want == "" {
				if err != nil {
					t.Fatal(err)
				}
				if got.Image != "postgres:15" || got.Cut != CutOffsets || got.Rows < MinRows || got.Progress == nil {
					t.Errorf("defaults are %+v", got)
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want %q in it", err, tt.want)
			}
		})
	}
}

func TestWipeLinePointers(t *testing.T) {
	page := func(lower uint16) []byte {
		p := make([]byte, 8192)
		for i := range p {
			p[i] = 0xAA
		}
		binary.LittleEndian.PutUint16(p[pdLowerAt:], lower)
		return p
	}
	p := page(24 + 4*3)
	n, err := wipeLinePointers(p)
	if err != nil || n != 3 {
		t.Fatalf("got %d, %v, want 3 line pointers", n, err)
	}
	if lower := binary.LittleEndian.Uint16(p[pdLowerAt:]); lower != 24 {
		t.Errorf("pd_lower is %d, want 24", lower)
	}
	if p[23] != 0xAA || p[24] != 0 || p[35] != 0 || p[36] != 0xAA {
		t.Errorf("wiped the wrong bytes: % x", p[20:40])
	}
	for _, lower := range []uint16{0, 24, 25, 9000} {
		if _, err := wipeLinePointers(page(lower)); err == nil {
			t.Errorf("pd_lower %d was taken for a page with rows", lower)
		}
	}
}
