package agent

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"unicode/utf8"
)

// Path is a file name or a link target as the bytes the file system holds.
//
// In JSON it is a string where the bytes are valid UTF-8 and {"hex":"..."} where they
// are not, so that no name is ever changed on its way. Paths inside a piece are
// relative to the piece, separated by slashes, and "." is the piece itself.
type Path string

type hexPath struct {
	Hex string `json:"hex"`
}

// MarshalJSON writes the form described at Path.
func (p Path) MarshalJSON() ([]byte, error) {
	if utf8.ValidString(string(p)) {
		return json.Marshal(string(p))
	}
	return json.Marshal(hexPath{hex.EncodeToString([]byte(p))})
}

// UnmarshalJSON reads both forms.
func (p *Path) UnmarshalJSON(b []byte) error {
	if len(b) > 0 && b[0] == '{' {
		var h hexPath
		if err := json.Unmarshal(b, &h); err != nil {
			return fmt.Errorf("path: %w", err)
		}
		raw, err := hex.DecodeString(h.Hex)
		if err != nil {
			return fmt.Errorf("path in hexadecimal: %w", err)
		}
		*p = Path(raw)
		return nil
	}
	var s string
	if err := json.Unmarshal(b, &s); err != nil {
		return fmt.Errorf("path: %w", err)
	}
	*p = Path(s)
	return nil
}

// Local reports whether the path stays inside the piece it is relative to: not empty,
// not absolute, clean, without ".." and NUL.
func (p Path) Local() bool {
	if p == "." {
		return true
	}
	if p == "" || strings.ContainsRune(string(p), 0) {
		return false
	}
	for _, part := range strings.Split(string(p), "/") {
		if part == "" || part == "." || part == ".." {
			return false
		}
	}
	return true
}

// join puts a directory inside a piece and a name together.
func join(dir, name string) string {
	switch {
	case dir == "." || dir == "":
		return name
	case name == "." || name == "":
		return dir
	}
	return dir + "/" + name
}

// split is the inverse of join: "." as directory for names at the top.
func split(p string) (dir, name string) {
	i := strings.LastIndexByte(p, '/')
	if i < 0 {
		return ".", p
	}
	return p[:i], p[i+1:]
}

// within reports whether p is dir or lies below it, and p relative to dir.
func within(p, dir string) (rel string, ok bool) {
	switch {
	case dir == "." || dir == "":
		return p, true
	case p == dir:
		return ".", true
	case strings.HasPrefix(p, dir+"/"):
		return p[len(dir)+1:], true
	}
	return "", false
}
