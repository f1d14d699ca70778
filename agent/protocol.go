package agent

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// maxLine bounds one line of the protocol in either direction. The longest are patches,
// which carry the bytes to write.
const maxLine = 64 << 20

// request is the first line on standard input.
type request struct {
	Job     string          `json:"job"`
	Request json.RawMessage `json:"request,omitempty"`
	Input   bool            `json:"input,omitempty"` // record lines and an end line follow
}

// inputLine is a line after the request.
type inputLine struct {
	Record *Record `json:"record,omitempty"`
	End    bool    `json:"end,omitempty"`
}

// answer is a line on standard output; exactly one field is set.
type answer struct {
	Progress *Progress       `json:"progress,omitempty"`
	Record   json.RawMessage `json:"record,omitempty"`
	Result   json.RawMessage `json:"result,omitempty"`
	Error    *Error          `json:"error,omitempty"`
}

// readLine reads up to a newline, which it drops. A line over the limit is an error; so
// is a last line without its newline, because it may be cut.
func readLine(r *bufio.Reader, limit int) ([]byte, error) {
	var line []byte
	for {
		part, err := r.ReadSlice('\n')
		if len(line)+len(part) > limit {
			return nil, fmt.Errorf("line longer than %d bytes", limit)
		}
		line = append(line, part...)
		switch {
		case err == nil:
			return line[:len(line)-1], nil
		case errors.Is(err, bufio.ErrBufferFull):
		case errors.Is(err, io.EOF) && len(line) > 0:
			return nil, io.ErrUnexpectedEOF
		default:
			return nil, err
		}
	}
}

// decodeStrict reads one JSON value and refuses fields that T does not have: a caller
// that asks for something this binary does not know must hear of it.
func decodeStrict(b []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return err
	}
	if d.More() {
		return errors.New("more than one value on the line")
	}
	return nil
}

func decodeRequest(line []byte) (request, error) {
	var q request
	if err := decodeStrict(line, &q); err != nil {
		return q, &Error{Kind: KindBadRequest, Message: fmt.Sprintf("request line: %v", err), cause: err,
			Hint: "the two ends may be of different versions of pgrescue"}
	}
	return q, nil
}

func encodeLine(v any) ([]byte, error) {
	b, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	return append(b, '\n'), nil
}
