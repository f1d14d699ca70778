package ui

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/charmbracelet/x/ansi"

	"github.com/pgrescue/pgrescue/steps/engine"
)

func TestFigures(t *testing.T) {
	for n, want := range map[int64]string{0: "0 B", 999: "999 B", 1000: "1.0 kB", 9949: "9.9 kB", 371_000_000: "371 MB", 999_600: "1.0 MB", 500_000_000_000: "500 GB"} {
		if got := humanBytes(n); got != want {
			t.Errorf("humanBytes(%d) = %q, want %q", n, got, want)
		}
	}
	for n, want := range map[int64]string{0: "0", 999: "999", 94815: "94 815", 1234567: "1 234 567", -1234: "-1 234"} {
		if got := grouped(n); got != want {
			t.Errorf("grouped(%d) = %q, want %q", n, got, want)
		}
	}
	for d, want := range map[time.Duration]string{0: "0:00", 61 * time.Second: "1:01", 3661 * time.Second: "1:01:01", -time.Second: "0:00"} {
		if got := clock(d); got != want {
			t.Errorf("clock(%v) = %q, want %q", d, got, want)
		}
	}
}

func TestPace(t *testing.T) {
	now := frozen()
	at := func(done, total int64, since, quiet time.Duration) engine.Progress {
		return engine.Progress{Done: done, Total: total, Unit: "bytes", At: now.Add(-quiet), Since: now.Add(-quiet - since)}
	}
	for _, c := range []struct {
		name string
		p    engine.Progress
		want pace
	}{
		{"just begun", at(0, 100, 0, 0), pace{Percent: "0%", Left: "estimating"}},
		{"little done", at(1e6, 1e9, 2*time.Second, 0), pace{Percent: "0%", Rate: "500 kB/s", Left: "estimating"}},
		{"known", at(5e8, 1e9, 10*time.Second, 0), pace{Percent: "50%", Rate: "50 MB/s", Left: "left 0:10"}},
		{"no total", at(5e8, 0, 10*time.Second, 0), pace{Rate: "50 MB/s"}},
		{"silent", at(5e8, 1e9, 10*time.Second, 42*time.Second), pace{Percent: "50%", Rate: "50 MB/s", Left: "left 0:10", Quiet: "no output for 42 s"}},
		{"more than all", at(2e9, 1e9, 10*time.Second, 0), pace{Percent: "100%", Rate: "200 MB/s"}},
	} {
		if got := paceOf(c.p, now); got != c.want {
			t.Errorf("%s: got %+v, want %+v", c.name, got, c.want)
		}
	}
}

func TestShellLine(t *testing.T) {
	got := shellLine([]string{"psql", "-c", "select 1", "", "it's", "a;b", "-D", "/data"})
	if want := `psql -c 'select 1' '' 'it'\''s' 'a;b' -D /data`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// Wrapping loses nothing and keeps to the width, whatever the text.
func FuzzWrap(f *testing.F) {
	f.Add("pg_resetwal -f -l 000000010000000000000003 -x 1048576 -m 3,1 -D /data", 20)
	f.Add("00000000-", 8)
	f.Add("a\nb\n\nc", 3)
	f.Add("日本語のテキスト wide", 7)
	f.Fuzz(func(t *testing.T, s string, width int) {
		s, width = clean(s), 8+max(0, width%200)
		for name, lines := range map[string][]string{"wrap": wrap(s, width), "hang": hang(s, "  ", width)} {
			kept := strings.Join(lines, "")
			for _, l := range lines {
				if ansi.StringWidth(l) > width {
					t.Errorf("%s: %q is wider than %d", name, l, width)
				}
			}
			if squeeze(kept) != squeeze(s) {
				t.Errorf("%s: %q became %q", name, s, lines)
			}
		}
	})
}

func squeeze(s string) string { return strings.Join(strings.Fields(s), "") }

func FuzzClean(f *testing.F) {
	f.Add("\x1b[31mred\x1b[0m \x9b2J \u202e")
	f.Fuzz(func(t *testing.T, s string) {
		for _, r := range clean(s) {
			if r < 0x20 && r != '\n' || r == 0x7f || r >= 0x80 && r < 0xa0 || r == '\u202e' {
				t.Errorf("clean(%q) lets %q through", s, r)
			}
		}
	})
}

// Tables fit, and numbers and names stay in one piece.
func TestTable(t *testing.T) {
	tb := table{[]string{"field", "ours", "theirs"}, [][]string{{"Database system identifier", "7345120945127844821", "7345120945127844821"}, {"x", "1", "2"}}}
	for width := 20; width < 100; width++ {
		lines := tb.lines(width)
		for _, l := range lines {
			if ansi.StringWidth(l) > width {
				t.Errorf("width %d: %q", width, l)
			}
		}
		if width >= 30 && strings.Count(strings.Join(lines, "\n"), "7345120945127844821") != 2 {
			t.Errorf("width %d broke a number:\n%s", width, strings.Join(lines, "\n"))
		}
	}
	if got := tb.lines(0); len(got) != 4 || !strings.HasSuffix(got[3], "                  1                    2") {
		t.Errorf("figures are not set to the right: %q", got)
	}
	if (table{}).lines(10) != nil {
		t.Error("an empty table has lines")
	}
	ragged := table{nil, [][]string{{"a"}, {"b", "c"}}}
	if got := ragged.lines(0); !slices.Equal(got, []string{"a", "b  c"}) {
		t.Errorf("ragged: %q", got)
	}
}

func TestMarkdown(t *testing.T) {
	got := strings.Join(markdown("# Title\n\nSome **bold** and `code`\nand more words to wrap here.\n\n- one two three four five six\n  seven\n1. first\n\n```\nkeep   this\n```\n\n| a | b |\n|---|---|\n| 1 | x |\n", 24, newStyles(dumb())), "\n")
	want := "Title\n\nSome bold and `code` and\nmore words to wrap here.\n\n- one two three four\n  five six seven\n1. first\n\n  keep   this\n\na  b\n-  -\n1  x"
	if got != want {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
}

func TestEntry(t *testing.T) {
	var e entry
	for _, k := range []string{"abc", "left", "X", "backspace", "home", "Y", "end", "Z"} {
		e.key(keyMsg(k))
	}
	if e.String() != "YabcZ" {
		t.Errorf("got %q", e.String())
	}
	pasted := keyMsg("a\x1b[2Jb\nc")
	pasted.Paste = true
	e = entry{}
	if e.key(pasted); strings.ContainsAny(e.String(), "\x1b\n") {
		t.Errorf("pasted %q", e.String())
	}
}

func TestFromEnv(t *testing.T) {
	env := func(m map[string]string) func(string) string { return func(k string) string { return m[k] } }
	for _, c := range []struct {
		env                    map[string]string
		noColor, ascii, isDumb bool
	}{
		{map[string]string{"TERM": "xterm", "LANG": "en_US.UTF-8"}, false, false, false},
		{map[string]string{"TERM": "xterm", "LANG": "C.utf8", "NO_COLOR": "1"}, true, false, false},
		{map[string]string{"TERM": "xterm", "LANG": "en_US.UTF-8", "LC_ALL": "C"}, false, true, false},
		{map[string]string{"TERM": "dumb", "LANG": "C"}, false, true, true},
		{map[string]string{}, false, true, true},
	} {
		o := Options{}.FromEnv(env(c.env))
		if o.NoColor != c.noColor || o.ASCII != c.ascii || o.Dumb != c.isDumb {
			t.Errorf("%v: %+v", c.env, o)
		}
	}
	if !PreferPlain(env(map[string]string{"TERM": "xterm", "ACCESSIBLE": "1"})) || PreferPlain(env(map[string]string{"TERM": "xterm"})) {
		t.Error("PreferPlain")
	}
}
