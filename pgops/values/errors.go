package values

import "fmt"

// ValueError says that a value cannot be printed: of which type, and why.
type ValueError struct {
	Type   string // the type's name
	Reason string // what is wrong with the bytes, or what was missing to read them
	Err    error  // what caused it, if something did: a *pgdisk.FormatError, or what Fetch said
}

func (e *ValueError) Error() string { return fmt.Sprintf("value of type %s: %s", e.Type, e.Reason) }

// Unwrap returns the cause, which may be nil.
func (e *ValueError) Unwrap() error { return e.Err }

// badValue makes a *ValueError for a value of t.
func badValue(t *Type, format string, args ...any) error {
	return &ValueError{Type: typeName(t), Reason: fmt.Sprintf(format, args...)}
}

// badCause makes a *ValueError for a value of t with its cause.
func badCause(t *Type, err error, doing string) error {
	return &ValueError{Type: typeName(t), Reason: doing + ": " + err.Error(), Err: err}
}

// shortValue says that v ends before it should.
func shortValue(t *Type, v []byte, want int) error {
	return badValue(t, "%d bytes, want at least %d", len(v), want)
}

// typeName names a type in messages.
func typeName(t *Type) string {
	switch {
	case t == nil || t.Name == "" && t.OID == 0:
		return "unknown"
	case t.Name == "":
		return fmt.Sprintf("with OID %d", t.OID)
	}
	return t.Name
}

// ColumnError says that the columns of a tuple cannot be told apart from this one on. The
// columns before it are sound.
type ColumnError struct {
	Index int    // index in the list of columns, from 0
	Name  string // the column's name
	Off   int    // byte in the columns' part of the tuple (pgdisk.Tuple.Columns)
	Err   error
}

func (e *ColumnError) Error() string {
	return fmt.Sprintf("column %d %q at byte %d of the columns: %v", e.Index+1, e.Name, e.Off, e.Err)
}

// Unwrap returns the cause.
func (e *ColumnError) Unwrap() error { return e.Err }
