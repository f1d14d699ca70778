package values

import (
	"bytes"
	"encoding/binary"
	"strings"
	"testing"

	"github.com/pgrescue/pgrescue/pgops/pgdisk"
)

// nestedJSONB is a jsonb of arrays within each other.
func nestedJSONB(depth int) []byte {
	le := binary.LittleEndian
	var b []byte
	for i := depth; i > 1; i-- {
		b = le.AppendUint32(b, jsonbArray|1)
		b = le.AppendUint32(b, jentryContainer|uint32(8*(i-1)-4))
	}
	return le.AppendUint32(b, jsonbArray)
}

// nestedTSQuery is a tsquery of a word under many negations.
func nestedTSQuery(depth int) []byte {
	b := binary.LittleEndian.AppendUint32(nil, uint32(depth))
	for range depth - 1 {
		b = append(b, append([]byte{queryOperator, queryNot}, make([]byte, 10)...)...)
	}
	b = append(b, queryOperand, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0)
	return append(b, "a\x00"...)
}

// nestedJSONPath is a jsonpath of many minus signs.
func nestedJSONPath(depth int) []byte {
	le := binary.LittleEndian
	b := le.AppendUint32(nil, jsonpathVersion|jsonpathLax)
	for range depth - 1 {
		b = le.AppendUint32(b, jpiMinus)
		b = le.AppendUint32(b, 0)
		b = le.AppendUint32(b, 12)
	}
	b = le.AppendUint32(b, jpiRoot)
	return le.AppendUint32(b, 0)
}

func TestNesting(t *testing.T) {
	types := goldenTypes()
	for name, build := range map[string]func(int) []byte{"jsonb": nestedJSONB, "tsquery": nestedTSQuery, "jsonpath": nestedJSONPath} {
		y := types[name]
		c := codecOf(y)
		if got, err := c(nil, y, build(60000), goldenEnv()); err != nil || len(got) < 60000 {
			t.Errorf("%s of 60000 levels: %d bytes, %v", name, len(got), err)
		}
		if got, err := c(nil, y, build(maxNesting+10), goldenEnv()); err == nil {
			t.Errorf("%s of %d levels: %d bytes and no error", name, maxNesting+10, len(got))
		}
	}
}

// TestNestingCycle reads an array that is its own element: its bytes are fetched from a TOAST
// table, and hold a pointer to themselves.
func TestNestingCycle(t *testing.T) {
	types := goldenTypes()
	y := types["_text"]
	y.Elem = y
	pointer := pgdisk.ToastPointer{RawSize: 24 + pgdisk.ToastPointerSize, ExtSize: 20 + pgdisk.ToastPointerSize, Method: pgdisk.CompressNone, ValueID: 1, ToastRelID: 2}
	le := binary.LittleEndian
	self := make([]byte, 20)
	le.PutUint32(self, 1) // dimensions
	le.PutUint32(self[12:], 1)
	self = pointer.Append(self)
	env := &Env{Fetch: func(pgdisk.ToastPointer) ([]byte, error) { return self, nil }}
	for name, p := range map[string]Printer{"text": NewText(y, env), "json": NewJSON(y, env)} {
		got, err := p(nil, pointer.Append(nil))
		if err == nil || !strings.Contains(err.Error(), "within each other") {
			t.Errorf("%s: %.40q, %v", name, got, err)
		}
	}
}

// TestMismatch reads values that name a type other than that of their column.
func TestMismatch(t *testing.T) {
	types := goldenTypes()
	array := []byte{1, 0, 0, 0, 0, 0, 0, 0, 20, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 7, 0, 0, 0, 0, 0, 0, 0}
	lookup := &Env{Lookup: func(oid pgdisk.OID) (*Type, bool) {
		for _, y := range types {
			if y.OID == oid && oid != 0 {
				return y, true
			}
		}
		return nil, false
	}}
	anyarray := &Type{OID: 2277, Name: "anyarray", Len: -1, Align: 'd', Output: "anyarray_out"}
	record := &Type{OID: 2249, Name: "record", Len: -1, Align: 'd', Kind: KindPseudo, Output: "record_out"}
	leaf := []byte("\xff\xff\xff\xff\xc4\x47\x00\x00\xff\xff\xff\xff\x00\x00\x05\x00\x03\x00\x18\x05\x05\x61\x01")
	tests := []struct {
		what  string
		t     *Type
		env   *Env
		value []byte
		want  string
		bad   string
	}{
		{"an array of another type", types["_int4"], &Env{}, array, "", "with OID 20, not int4"},
		{"an array of a type that can be found", types["_int4"], lookup, array, "{7}", ""},
		{"an anyarray", anyarray, lookup, array, "{7}", ""},
		{"an anyarray without types", anyarray, &Env{}, array, "", "with OID 20, which is not known"},
		{"a record", record, lookup, leaf, "(a,,t,,)", ""},
		{"a record without types", record, &Env{}, leaf, "", "with OID 18372, whose fields are not known"},
		{"a range of another type", types["int8range"], &Env{}, []byte{64, 15, 0, 0, 1}, "", "with OID 3904"},
		{"a range of a type that can be found", types["int8range"], lookup, []byte{64, 15, 0, 0, 1}, "empty", ""},
		{"a label that is not there", types["mood"], &Env{}, []byte{1, 2, 0, 0}, "", "no label for 513"},
	}
	for _, tt := range tests {
		got, err := codecOf(tt.t)(nil, tt.t, tt.value, tt.env)
		if (err == nil) != (tt.bad == "") || err == nil && string(got) != tt.want || err != nil && !strings.Contains(err.Error(), tt.bad) {
			t.Errorf("%s: %q, %v, want %q and error %q", tt.what, got, err, tt.want, tt.bad)
		}
	}
}

// TestRegOut prints what reg types name.
func TestRegOut(t *testing.T) {
	env := &Env{Names: func(kind NameKind, oid pgdisk.OID) (string, bool) { return "a name", kind == NameClass && oid == 1259 }}
	tests := []struct {
		output, want string
		oid          uint32
	}{
		{"regclassout", "a name", 1259}, {"regclassout", "1260", 1260}, {"regclassout", "-", 0}, {"regtypeout", "1259", 1259},
		{"regoperout", "0", 0}, {"regoperatorout", "0", 0}, {"regprocout", "-", 0}, {"regroleout", "4294967295", 4294967295},
	}
	for _, tt := range tests {
		y := &Type{Name: tt.output, Len: 4, Output: tt.output}
		got, err := codecOf(y)(nil, y, binary.LittleEndian.AppendUint32(nil, tt.oid), env)
		if err != nil || string(got) != tt.want {
			t.Errorf("%s of %d: %q, %v, want %q", tt.output, tt.oid, got, err, tt.want)
		}
	}
	y := &Type{Name: "regclass", Len: 4, Output: "regclassout"}
	if got, err := codecOf(y)(nil, y, []byte{1, 0, 0, 0}, &Env{}); err != nil || !bytes.Equal(got, []byte("1")) {
		t.Errorf("without names: %q, %v", got, err)
	}
}

// TestACLRole quotes roles by the rule of aclitems, not by that of identifiers.
func TestACLRole(t *testing.T) {
	for name, want := range map[string]string{"plain": "plain=/plain", `"Mixed"`: "Mixed=/Mixed", `"a""b"`: `"a""b"=/"a""b"`, `"a b"`: `"a b"=/"a b"`, `"ünï"`: `"ünï"=/"ünï"`} {
		env := &Env{Names: func(NameKind, pgdisk.OID) (string, bool) { return name, true }}
		y := &Type{Name: "aclitem", Len: 16, Output: "aclitemout"}
		got, err := codecOf(y)(nil, y, []byte{1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}, env)
		if err != nil || string(got) != want {
			t.Errorf("role %s: %s, %v, want %s", name, got, err, want)
		}
	}
}
