package values

import (
	"errors"
	"testing"
)

func TestReadable(t *testing.T) {
	known := &Type{Name: "int4", Len: 4, Output: "int4out"}
	unknown := &Type{Name: "geometry", Len: -1, Output: "lwgeom_out"}
	loop := &Type{Name: "loop", Len: -1, Kind: KindComposite, Output: "record_out"}
	loop.Fields = []Column{{Name: "again", Type: loop}, {Name: "n", Type: known}}
	for name, c := range map[string]struct {
		t   *Type
		bad string // the type that is named
	}{
		"a number":               {known, ""},
		"an unknown function":    {unknown, "geometry"},
		"an array of numbers":    {&Type{Name: "_int4", Len: -1, Output: "array_out", Elem: known}, ""},
		"an array of unknown":    {&Type{Name: "_geometry", Len: -1, Output: "array_out", Elem: unknown}, "geometry"},
		"a row with unknown":     {&Type{Name: "r", Len: -1, Output: "record_out", Fields: []Column{{Type: known}, {Type: unknown}}}, "geometry"},
		"a row that had unknown": {&Type{Name: "r", Len: -1, Output: "record_out", Fields: []Column{{Dropped: true}, {Type: known}}}, ""},
		"a row with itself":      {loop, ""},
		"no type":                {nil, "unknown"},
	} {
		err := Readable(c.t)
		var value *ValueError
		if (err != nil) != (c.bad != "") || err != nil && (!errors.As(err, &value) || value.Type != c.bad) {
			t.Errorf("%s: %v, want %q", name, err, c.bad)
		}
	}
}
