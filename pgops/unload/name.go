package unload

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/pgrescue/pgrescue/pgops/pgdisk"
)

// maxNameBytes bounds what a name of the cluster may take of a file name: two of them and
// the endings fit the 255 bytes of the usual file systems.
const maxNameBytes = 110

// safeName makes a name of the cluster part of a file name: letters, digits, '_', '-' and
// '$' stay, every other byte becomes %XX. Distinct names stay distinct. A name that would
// get too long is cut, and '~' and the object's number, which no other name has, make it
// distinct again.
func safeName(name string, oid pgdisk.OID) string {
	var b strings.Builder
	for i := 0; i < len(name); {
		r, size := utf8.DecodeRuneInString(name[i:])
		if keepRune(r, size) {
			b.WriteString(name[i : i+size])
		} else {
			for _, c := range []byte(name[i : i+size]) {
				fmt.Fprintf(&b, "%%%02X", c)
			}
		}
		i += size
		if b.Len() > maxNameBytes {
			return cutName(b.String()) + "~" + strconv.FormatUint(uint64(oid), 10)
		}
	}
	return b.String()
}

// keepRune reports what needs no escape. Marks that combine are escaped: file systems that
// normalise names would make two of one.
func keepRune(r rune, size int) bool {
	switch {
	case r == utf8.RuneError && size <= 1:
		return false
	case r < utf8.RuneSelf:
		return r == '_' || r == '-' || r == '$' || unicode.IsDigit(r) || unicode.IsLetter(r)
	}
	return unicode.IsLetter(r) || unicode.IsDigit(r)
}

// cutName shortens an escaped name without cutting a letter or an escape in two.
func cutName(s string) string {
	const keep = maxNameBytes - 20
	end := 0
	for end < len(s) {
		_, size := utf8.DecodeRuneInString(s[end:])
		if s[end] == '%' {
			size = 3
		}
		if end+size > keep {
			break
		}
		end += size
	}
	return s[:end]
}

// paths are the files of one table, relative to the output directory.
type paths struct {
	rows, dead, damaged string
}

// tablePaths gives the files of a table their endings. No name has a dot of its own.
func tablePaths(base string, format Format) paths {
	return paths{
		rows:    base + "." + string(format),
		dead:    base + ".dead." + string(format),
		damaged: base + ".damaged.jsonl",
	}
}
