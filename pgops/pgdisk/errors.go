package pgdisk

import "fmt"

// FormatError says that bytes do not hold together: in which file (when the decoder
// knows it), at which byte offset, in which field, what was expected and what was found.
type FormatError struct {
	File  string
	Off   int64
	Field string
	Want  string
	Got   string
}

func (e *FormatError) Error() string {
	where := e.File
	if where == "" {
		where = "data"
	}
	return fmt.Sprintf("%s: %s at byte %d: want %s, found %s", where, e.Field, e.Off, e.Want, e.Got)
}

// In returns the error with the file named.
func (e *FormatError) In(file string) *FormatError {
	named := *e
	named.File = file
	return &named
}
