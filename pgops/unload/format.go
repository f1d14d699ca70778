package unload

import "fmt"

// Format is how rows are written.
type Format string

// The formats.
const (
	FormatCopy  Format = "copy"  // as COPY table TO STDOUT
	FormatCSV   Format = "csv"   // as COPY table TO STDOUT (FORMAT csv, HEADER)
	FormatJSONL Format = "jsonl" // one row_to_json a line
)

// ParseFormat reads the name of a format.
func ParseFormat(name string) (Format, error) {
	switch f := Format(name); f {
	case FormatCopy, FormatCSV, FormatJSONL:
		return f, nil
	}
	return "", fmt.Errorf("there is no format %q: choose copy, csv or jsonl", name)
}
