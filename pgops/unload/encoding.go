package unload

import (
	"bytes"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/japanese"
	"golang.org/x/text/encoding/korean"
	"golang.org/x/text/encoding/simplifiedchinese"
)

// charset is the encoding of a database as far as writing needs it.
type charset struct {
	name    string            // as pg_encoding_to_char prints it
	utf8    bool              // UTF8: text is checked, nothing is converted
	decoder encoding.Encoding // nil when there is no conversion: SQL_ASCII, UTF8 and some rare ones
}

// newCharset knows the server encodings that have a table here (pg_enc2name_tbl,
// common/encnames.c). Those without (EUC_TW, EUC_JIS_2004, MULE_INTERNAL, ISO_8859_...
// variants outside of the list) and SQL_ASCII are converted only where they are UTF-8 anyhow.
func newCharset(name string) charset {
	c := charset{name: name, utf8: name == "UTF8"}
	switch name {
	case "EUC_JP":
		c.decoder = japanese.EUCJP
	case "EUC_KR":
		c.decoder = korean.EUCKR
	case "EUC_CN":
		c.decoder = simplifiedchinese.GBK // which holds it
	default:
		if m := charmapOf(name); m != nil {
			c.decoder = m
		}
	}
	return c
}

// charmapOf returns the table of an encoding of one byte a character.
func charmapOf(name string) *charmap.Charmap {
	switch name {
	case "LATIN1":
		return charmap.ISO8859_1
	case "LATIN2":
		return charmap.ISO8859_2
	case "LATIN3":
		return charmap.ISO8859_3
	case "LATIN4":
		return charmap.ISO8859_4
	case "LATIN5":
		return charmap.ISO8859_9
	case "LATIN6":
		return charmap.ISO8859_10
	case "LATIN7":
		return charmap.ISO8859_13
	case "LATIN8":
		return charmap.ISO8859_14
	case "LATIN9":
		return charmap.ISO8859_15
	case "LATIN10":
		return charmap.ISO8859_16
	case "ISO_8859_5":
		return charmap.ISO8859_5
	case "ISO_8859_6":
		return charmap.ISO8859_6
	case "ISO_8859_7":
		return charmap.ISO8859_7
	case "ISO_8859_8":
		return charmap.ISO8859_8
	}
	return windowsOf(name)
}

func windowsOf(name string) *charmap.Charmap {
	switch name {
	case "WIN866":
		return charmap.CodePage866
	case "WIN874":
		return charmap.Windows874
	case "WIN1250":
		return charmap.Windows1250
	case "WIN1251":
		return charmap.Windows1251
	case "WIN1252":
		return charmap.Windows1252
	case "WIN1253":
		return charmap.Windows1253
	case "WIN1254":
		return charmap.Windows1254
	case "WIN1255":
		return charmap.Windows1255
	case "WIN1256":
		return charmap.Windows1256
	case "WIN1257":
		return charmap.Windows1257
	case "WIN1258":
		return charmap.Windows1258
	case "KOI8R":
		return charmap.KOI8R
	case "KOI8U":
		return charmap.KOI8U
	}
	return nil
}

// sound reports whether text can be in a database of the encoding: no zero byte, and valid
// where that can be told. What is not sound was not stored by a server.
func (c charset) sound(text []byte) bool {
	return bytes.IndexByte(text, 0) < 0 && (!c.utf8 || utf8.Valid(text))
}

// convert makes UTF-8 of what was appended to dst from start on, and reports false when that
// cannot be done: dst is then as it was.
func (c charset) convert(dst []byte, start int) ([]byte, bool) {
	text := dst[start:]
	if c.utf8 || c.decoder == nil || ascii(text) {
		return dst, utf8.Valid(text)
	}
	out, err := c.decoder.NewDecoder().Bytes(text)
	if err != nil || bytes.ContainsRune(out, utf8.RuneError) {
		return dst, false
	}
	return append(dst[:start], out...), true
}

// fileName converts a name of the catalog where that can be done.
func (c charset) fileName(name string) string {
	out, _ := c.convert([]byte(name), 0)
	return string(out)
}

// shared converts a name of a shared catalog, which has the encoding of the database where
// it was given: mostly UTF-8, or plain ASCII.
func (c charset) shared(name string) string {
	if utf8.ValidString(name) {
		return name
	}
	return c.string(name)
}

// string converts a name of the catalog, for reports; what cannot be converted is marked.
func (c charset) string(name string) string {
	out, ok := c.convert([]byte(name), 0)
	if !ok {
		return string(bytes.ToValidUTF8([]byte(name), []byte(string(utf8.RuneError))))
	}
	return string(out)
}

func ascii(b []byte) bool {
	for _, c := range b {
		if c >= utf8.RuneSelf {
			return false
		}
	}
	return true
}
