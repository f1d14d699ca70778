package unload

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"strings"
	"testing"
)

// The escapes of COPY's text format; the whole of it is compared with servers elsewhere.
func TestEscapeCopy(t *testing.T) {
	for in, want := range map[string]string{
		"":                      "",
		"plain":                 "plain",
		"a\tb\nc\rd\\e":         `a\tb\nc\rd\\e`,
		"\b\f\v":                `\b\f\v`,
		"\x01\x1f\x7fé":         "\x01\x1f\x7fé",
		`\.`:                    `\\.`,
		`\N`:                    `\\N`,
		`\\`:                    `\\\\`,
		"end\n":                 `end\n`,
		strings.Repeat("\\", 9): strings.Repeat(`\\`, 9),
	} {
		got, plain := escapeCopy([]byte("kept\n"+in), 5)
		if string(got) != "kept\n"+want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
		if ascii := got[5:]; plain != (in == want && !bytes.ContainsFunc(ascii, func(r rune) bool { return r >= 0x80 })) {
			t.Errorf("%q: plain is %v", in, plain)
		}
	}
}

// unescapeCopy reads what COPY FROM would make of it (CopyReadAttributesText, commands/copyfromparse.c).
func unescapeCopy(t *testing.T, s []byte) []byte {
	var out []byte
	for i := 0; i < len(s); i++ {
		if s[i] != '\\' {
			out = append(out, s[i])
			continue
		}
		if i++; i == len(s) {
			t.Fatalf("%q ends with a backslash", s)
		}
		at := strings.IndexByte(`bfnrtv\`, s[i])
		if at < 0 {
			t.Fatalf("%q has an escape %q", s, s[i])
		}
		out = append(out, "\b\f\n\r\t\v\\"[at])
	}
	return out
}

func FuzzEscapeCopy(f *testing.F) {
	for _, s := range []string{"", "a\tb", `\N`, "\n\n\\", "\x00"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		out, plain := escapeCopy(bytes.Clone(in), 0)
		if plain && (bytes.IndexByte(in, 0) >= 0 || bytes.ContainsFunc(in, func(r rune) bool { return r >= 0x80 })) {
			t.Fatalf("%q is taken as plain", in)
		}
		if bytes.ContainsAny(out, "\t\n\r") {
			t.Fatalf("%q has a delimiter in it: %q", in, out)
		}
		if back := unescapeCopy(t, out); !bytes.Equal(back, in) {
			t.Fatalf("%q came back as %q", in, back)
		}
	})
}

func TestQuoteCSV(t *testing.T) {
	for _, c := range []struct {
		in     string
		single bool
		want   string
	}{
		{"", false, `""`},
		{"plain", false, "plain"},
		{" a ", false, " a "},
		{"a,b", false, `"a,b"`},
		{`say "x"`, false, `"say ""x"""`},
		{"a\nb", false, "\"a\nb\""},
		{"a\rb", false, "\"a\rb\""},
		{"a\tb", false, "a\tb"},
		{`\.`, false, `\.`},
		{`\.`, true, `"\."`},
		{`\N`, true, `\N`},
		{`"`, true, `""""`},
	} {
		if got := string(quoteCSV([]byte("kept,"+c.in), 5, c.single)); got != "kept,"+c.want {
			t.Errorf("%q (single %v): got %q, want %q", c.in, c.single, got, c.want)
		}
	}
}

func FuzzQuoteCSV(f *testing.F) {
	for _, s := range []string{"", "a,b", `"`, "a\nb", `\.`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, in string) {
		if strings.Contains(in, "\r") {
			return // the reader of the standard library changes line ends
		}
		line := quoteCSV([]byte("x,"+in), 2, false)
		r := csv.NewReader(bytes.NewReader(append(line, '\n')))
		r.LazyQuotes = false
		fields, err := r.Read()
		if err != nil || len(fields) != 2 || fields[1] != in {
			t.Fatalf("%q: %q was read as %q, %v", in, line, fields, err)
		}
	})
}

func FuzzJSONString(f *testing.F) {
	for _, s := range []string{"", "a\"b\\c", "\x00\x1f\n", "é"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, in string) {
		var back string
		out := appendJSONString(nil, []byte(in))
		if err := json.Unmarshal(out, &back); err != nil || back != strings.ToValidUTF8(in, "\uFFFD") && strings.ToValidUTF8(in, "") == in {
			t.Fatalf("%q: %q was read as %q, %v", in, out, back, err)
		}
	})
}

func TestOneLine(t *testing.T) {
	b := []byte("{\n}kept{\"a\":\n\r\n 1}\n")
	oneLine(b, 7)
	if want := "{\n}kept{\"a\":    1} "; string(b) != want {
		t.Errorf("got %q, want %q", b, want)
	}
}

func TestCharset(t *testing.T) {
	for _, c := range []struct {
		encoding, in, want string
		ok                 bool
	}{
		{"UTF8", "é", "é", true},
		{"UTF8", "\xe9", "\xe9", false},
		{"SQL_ASCII", "plain", "plain", true},
		{"SQL_ASCII", "é", "é", true},
		{"SQL_ASCII", "\xe9", "\xe9", false},
		{"LATIN1", "\xe9\xff", "éÿ", true},
		{"LATIN9", "\xa4", "€", true},
		{"WIN1252", "\x80", "€", true},
		{"WIN1252", "\x81", "\x81", false},
		{"KOI8R", "\xc1", "а", true},
		{"EUC_JP", "\xa4\xa2", "あ", true},
		{"EUC_KR", "\xb0\xa1", "가", true},
		{"EUC_CN", "\xb0\xa1", "啊", true},
		{"EUC_TW", "\xc4\xe3", "\xc4\xe3", false},
	} {
		got, ok := newCharset(c.encoding).convert([]byte("x"+c.in), 1)
		if ok != c.ok || string(got) != "x"+c.want {
			t.Errorf("%s %q: got %q, %v, want %q, %v", c.encoding, c.in, got, ok, c.want, c.ok)
		}
	}
	if newCharset("UTF8").sound([]byte("a\x00")) || newCharset("UTF8").sound([]byte("\xe9")) || !newCharset("LATIN1").sound([]byte("\xe9")) {
		t.Error("sound does not tell what a server stores")
	}
}
