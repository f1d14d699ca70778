package pgdisk

import "testing"

func TestLayoutTable(t *testing.T) {
	for i, l := range Layouts() {
		if l.Major != 13+i {
			t.Errorf("row %d is major %d", i, l.Major)
		}
		if got, ok := LayoutFor(l.Major); !ok || got != l {
			t.Errorf("%d: LayoutFor gives %+v", l.Major, got)
		}
		if got, exact, ok := LayoutForControl(l.ControlVersion, l.CatalogVersion); !ok || !exact || got != l {
			t.Errorf("%d: LayoutForControl gives %+v, exact %v", l.Major, got, exact)
		}
		if got, ok := LayoutForPageMagic(l.PageMagic); !ok || got != l {
			t.Errorf("%d: LayoutForPageMagic gives %+v", l.Major, got)
		}
	}
}

func TestLayoutForControl(t *testing.T) {
	tests := []struct {
		control, catalog uint32
		major            int
		ok               bool
	}{
		{1300, 202107182, 14, true}, // after 14, before 15
		{1300, 202412311, 16, true}, // a fork of 16
		{1300, 1, 13, true},
		{1800, 202501011, 18, true},
		{1201, 201909212, 0, false},
		{1901, 202607011, 0, false},
		{0, 0, 0, false},
	}
	for _, tt := range tests {
		l, exact, ok := LayoutForControl(tt.control, tt.catalog)
		if l.Major != tt.major || ok != tt.ok || exact {
			t.Errorf("%d, %d: got %d, exact %v, %v", tt.control, tt.catalog, l.Major, exact, ok)
		}
	}
	for _, major := range []int{12, 19} {
		if _, ok := LayoutFor(major); ok {
			t.Errorf("%d has a row", major)
		}
	}
}
