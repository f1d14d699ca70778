package ui

import (
	"errors"
	"maps"
	"strings"
	"testing"

	"github.com/pgrescue/pgrescue/steps/engine"
)

func TestParseAnswers(t *testing.T) {
	digest := strings.Repeat("ab", 32)
	for _, c := range []struct {
		name, text string
		want       map[string]string
		wrong      string // part of the error
	}{
		{"empty", "", map[string]string{}, ""},
		{"all", "# demo\n\n archive = /mnt/nas \nconsent.on-copy=yes\nconsent.original = " + digest + "\nconfirm = db1/4821\n",
			map[string]string{"archive": "/mnt/nas", "consent.on-copy": "yes", "consent.original": digest, "confirm": "db1/4821"}, ""},
		{"value with an equals sign", "archive = a=b", map[string]string{"archive": "a=b"}, ""},
		{"empty value is an answer", "archive =", map[string]string{"archive": ""}, ""},
		{"unknown key names its line", "archive = x\n\nconsent.orignal = as-rehearsed", nil, "line 3"},
		{"no equals sign", "archive", nil, "line 1"},
		{"twice", "archive = a\narchive = b", nil, "answered twice"},
		{"almost yes", "consent.on-copy = Yes", nil, "must be yes or no"},
		{"bare yes for the original", "consent.original = yes", nil, "must be as-rehearsed"},
		{"short digest", "consent.original = abcdef", nil, "64 hexadecimal"},
		{"empty confirm", "confirm =", nil, "must not be empty"},
		{"too large", strings.Repeat("#\n", maxAnswers), nil, "larger than"},
	} {
		t.Run(c.name, func(t *testing.T) {
			a, err := ParseAnswers(strings.NewReader(c.text), "file", []string{"archive"})
			if c.wrong != "" {
				var e *engine.Error
				if !errors.As(err, &e) || e.Kind != engine.Usage || !strings.Contains(err.Error(), c.wrong) {
					t.Fatalf("got error %v, want usage error with %q", err, c.wrong)
				}
				return
			}
			if err != nil || !maps.Equal(a.values, c.want) {
				t.Fatalf("got %v, %v, want %v", a.values, err, c.want)
			}
		})
	}
}

func FuzzParseAnswers(f *testing.F) {
	f.Add("archive = x\n# y\nconsent.reversible = no\n")
	f.Add("=\n")
	f.Add("consent.original = as-rehearsed\r\nconfirm=db1")
	f.Fuzz(func(t *testing.T, s string) {
		a, err := ParseAnswers(strings.NewReader(s), "file", []string{"archive"})
		if err != nil {
			return
		}
		for k, v := range a.values {
			if checkAnswer(k, v, []string{"archive"}) != nil {
				t.Errorf("accepted %q = %q", k, v)
			}
		}
	})
}

func TestApprove(t *testing.T) {
	digest := strings.Repeat("0f", 32)
	for _, bad := range [][2]string{{"", "db1/4821"}, {"xyz", "db1/4821"}, {digest, "db1"}, {digest, "/4821"}, {digest, "db1/"}} {
		if _, err := Approve(bad[0], bad[1]); err == nil {
			t.Errorf("Approve(%q, %q) was accepted", bad[0], bad[1])
		}
	}
	if _, err := Approve(digest, "db1/4821"); err != nil {
		t.Error(err)
	}
}
