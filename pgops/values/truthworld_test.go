package values

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/pgrescue/pgrescue/pgops/pgdisk"
)

func (w *world) rows(t *testing.T, name string) [][]string {
	t.Helper()
	return copyRows(t, filepath.Join(w.said, name))
}

func oidOf(t *testing.T, s string) pgdisk.OID { return pgdisk.OID(number(t, s)) }

// readTypes makes the types and the names of things.
func (w *world) readTypes(t *testing.T) {
	t.Helper()
	w.types[0] = nil
	rows := w.rows(t, "types")
	relations := map[string]*Type{}
	for _, r := range rows {
		y := &Type{OID: oidOf(t, r[0]), Schema: r[1], Name: r[2], Len: int16(number(t, r[3])), Align: r[4][0], Kind: r[5][0], Delim: r[6][0], Output: r[10]}
		w.types[y.OID] = y
		relations[r[9]] = y
	}
	for _, r := range rows {
		y := w.types[oidOf(t, r[0])]
		y.Elem, y.Base = w.types[oidOf(t, r[7])], w.types[oidOf(t, r[8])]
	}
	for _, r := range w.rows(t, "ranges") {
		y := w.types[oidOf(t, r[0])]
		y.Range = w.types[oidOf(t, r[1])]
		if multi := w.types[oidOf(t, r[2])]; multi != nil {
			multi.Range = y
		}
	}
	for _, r := range w.rows(t, "labels") {
		y := w.types[oidOf(t, r[1])]
		if y.Labels == nil {
			y.Labels = map[pgdisk.OID]string{}
		}
		y.Labels[oidOf(t, r[0])] = r[2]
	}
	for _, r := range w.rows(t, "columns") {
		if y := relations[r[0]]; y != nil {
			y.Fields = append(y.Fields, w.column(t, r))
		}
	}
	for _, r := range w.rows(t, "toast") {
		w.toast[oidOf(t, r[0])] = filepath.Base(r[1])
	}
	for _, file := range []string{"names1", "names2", "names3"} {
		for _, r := range w.rows(t, file) {
			kind := NameKind(number(t, r[0]))
			if w.names[kind] == nil {
				w.names[kind] = map[pgdisk.OID]string{}
			}
			w.names[kind][oidOf(t, r[1])] = r[2]
		}
	}
}

func (w *world) column(t *testing.T, r []string) Column {
	t.Helper()
	c := Column{Name: r[1], Num: int16(number(t, r[2])), TypeOID: oidOf(t, r[3]), Len: int16(number(t, r[4])), Align: r[5][0], Dropped: r[6] == "t"}
	if r[7] != "" {
		c.Generated = r[7][0]
	}
	c.Type = w.types[c.TypeOID]
	return c
}

// readTables makes the tables, with the values that columns have in older rows.
func (w *world) readTables(t *testing.T) {
	t.Helper()
	var attributes *worldTable
	byOID := map[string]*worldTable{}
	for _, r := range w.rows(t, "tables") {
		tab := &worldTable{oid: r[0], schema: r[1], name: r[2], path: filepath.Base(r[3]), missing: map[int]string{}}
		w.tables = append(w.tables, tab)
		byOID[tab.oid] = tab
		if tab.name == "pg_attribute" {
			attributes = tab
		}
	}
	for _, r := range w.rows(t, "columns") {
		if tab := byOID[r[0]]; tab != nil {
			if r[8] == "t" {
				tab.missing[len(tab.cols)] = r[9]
			}
			tab.cols = append(tab.cols, w.column(t, r))
		}
	}
	last := len(attributes.cols) - 1 // attmissingval
	values := make([][]byte, last+1)
	for _, tab := range w.tables {
		for i, ctid := range tab.missing {
			if err := NewDeformer(attributes.cols).Deform(w.tupleAt(t, attributes, ctid), values); err != nil {
				t.Fatal(err)
			}
			tab.cols[i].Missing = w.firstItem(t, attributes.cols[last].Type, values[last])
		}
	}
}

// firstItem returns the only element of an anyarray as it is stored.
func (w *world) firstItem(t *testing.T, anyarray *Type, stored []byte) []byte {
	t.Helper()
	v, _, err := payload(anyarray, stored, w.environment(t), nil)
	if err != nil {
		t.Fatal(err)
	}
	a, err := decodeArray(anyarray, v, w.environment(t))
	if err != nil {
		t.Fatal(err)
	}
	item, err := a.next(0)
	if err != nil {
		t.Fatal(err)
	}
	return item
}

// tupleAt returns the tuple that a ctid such as (0,1) leads to.
func (w *world) tupleAt(t *testing.T, tab *worldTable, ctid string) pgdisk.Tuple {
	t.Helper()
	var block, item int64
	if _, err := fmt.Sscanf(ctid, "(%d,%d)", &block, &item); err != nil {
		t.Fatal(err)
	}
	if tab.file == nil {
		b, err := os.ReadFile(filepath.Join(w.base, tab.path))
		if err != nil {
			t.Fatal(err)
		}
		tab.file = b
	}
	page := tab.file[block*pgdisk.BlockSize:][:pgdisk.BlockSize]
	h, err := pgdisk.DecodePageHeader(page)
	if err != nil {
		t.Fatal(err)
	}
	tuple, err := pgdisk.DecodeTuple(pgdisk.Item(page, pgdisk.ItemIDs(page, h)[item-1]))
	if err != nil {
		t.Fatal(err)
	}
	return tuple
}

// environment is that of the server.
func (w *world) environment(t *testing.T) *Env {
	return &Env{
		Major: w.Major,
		Fetch: func(p pgdisk.ToastPointer) ([]byte, error) { return w.fetch(t, p) },
		Names: func(kind NameKind, oid pgdisk.OID) (string, bool) { s, ok := w.names[kind][oid]; return s, ok },
		Lookup: func(oid pgdisk.OID) (*Type, bool) {
			y := w.types[oid]
			return y, y != nil
		},
	}
}

// fetch joins the chunks of a value.
func (w *world) fetch(t *testing.T, p pgdisk.ToastPointer) ([]byte, error) {
	values, ok := w.chunks[p.ToastRelID]
	if !ok {
		values = map[pgdisk.OID][]byte{}
		parts := map[pgdisk.OID]map[uint32][]byte{}
		d := NewDeformer([]Column{{Len: 4, Align: 'i'}, {Len: 4, Align: 'i'}, {Len: -1, Align: 'i'}})
		out := make([][]byte, 3)
		for _, tuple := range w.tuples(t, w.toast[p.ToastRelID]) {
			if err := d.Deform(tuple, out); err != nil {
				return nil, err
			}
			data, err := pgdisk.DecodeVarlena(out[2])
			if err != nil {
				return nil, err
			}
			id := pgdisk.OID(uint32Of(out[0]))
			if parts[id] == nil {
				parts[id] = map[uint32][]byte{}
			}
			parts[id][uint32Of(out[1])] = data.Payload
		}
		for id, chunks := range parts {
			for seq := range len(chunks) {
				values[id] = append(values[id], chunks[uint32(seq)]...)
			}
		}
		w.chunks[p.ToastRelID] = values
	}
	return values[p.ValueID], nil
}
