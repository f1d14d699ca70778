package pgops

import (
	"context"
	"os"
	"strings"
	"testing"
)

// sample is one block of testdata/symptoms/samples.txt.
type sample struct {
	id   string
	line int
	log  string
}

const samplePrefix = "2025-11-03 02:14:07.123 UTC [29] app=psql,user=postgres "

func readSamples(t *testing.T) []sample {
	t.Helper()
	text, err := os.ReadFile("testdata/symptoms/samples.txt")
	if err != nil {
		t.Fatal(err)
	}
	var out []sample
	for i, line := range strings.Split(string(text), "\n") {
		switch {
		case strings.HasPrefix(line, "== "):
			out = append(out, sample{id: strings.TrimPrefix(line, "== "), line: i + 1})
		case line == "" || len(out) == 0:
		default:
			if rest, ok := strings.CutPrefix(line, "T "); ok {
				line = samplePrefix + rest
			}
			out[len(out)-1].log += line + "\n"
		}
	}
	return out
}

func mustCatalogue(t testing.TB) *Catalogue {
	t.Helper()
	c, err := NewCatalogue()
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func mustMatch(t testing.TB, c *Catalogue, log string) *LogReport {
	t.Helper()
	r, err := c.Match(context.Background(), strings.NewReader(log))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// Every sample must lead to its own symptom before any other, as it stands and through Docker.
func TestSamplesLeadToTheirSymptom(t *testing.T) {
	c := mustCatalogue(t)
	for _, s := range readSamples(t) {
		if _, ok := c.Lookup(s.id); !ok {
			t.Errorf("line %d: unknown symptom %q", s.line, s.id)
			continue
		}
		docker := "2025-11-03T02:14:07.123456789Z " + strings.ReplaceAll(strings.TrimSuffix(s.log, "\n"), "\n", "\n2025-11-03T02:14:07.123456789Z ") + "\n"
		for name, log := range map[string]string{"plain": s.log, "docker": docker, "windows": strings.ReplaceAll(s.log, "\n", "\r\n")} {
			r := mustMatch(t, c, log)
			if len(r.Hits) == 0 {
				t.Errorf("line %d %s (%s): nothing matched\n%s", s.line, s.id, name, log)
				continue
			}
			if r.Hits[0].ID != s.id {
				t.Errorf("line %d (%s): top hit is %s, want %s\n%s", s.line, name, r.Hits[0].ID, s.id, log)
			}
		}
	}
}

func TestEverySymptomAndEveryWordingHasASample(t *testing.T) {
	c := mustCatalogue(t)
	used := make(map[int]bool)
	seen := make(map[string]bool)
	for _, s := range readSamples(t) {
		seen[s.id] = true
		in := NewLogReader(strings.NewReader(s.log))
		for {
			e, err := in.Next()
			if err != nil {
				break
			}
			for i := range c.rules {
				if c.symptoms[c.rules[i].symptom].ID != s.id {
					continue
				}
				if _, ok := c.rules[i].match(&e); ok {
					used[i] = true
				}
			}
		}
	}
	for _, s := range c.Symptoms() {
		if !seen[s.ID] {
			t.Errorf("symptom %d %s has no sample", s.Number, s.ID)
		}
	}
	for i := range c.rules {
		if !used[i] && !c.rules[i].pattern.Weak {
			t.Errorf("%s: no sample for the wording %q", c.symptoms[c.rules[i].symptom].ID, c.rules[i].pattern.Message)
		}
	}
}

// What healthy servers write, in the words of 13 to 18.
var ordinaryLines = []string{
	"LOG:  starting PostgreSQL 15.18 on x86_64-pc-linux-gnu, compiled by gcc, 64-bit",
	"LOG:  listening on IPv4 address \"0.0.0.0\", port 5432",
	"LOG:  database system was shut down at 2025-11-03 02:14:07 UTC",
	"LOG:  database system was shut down in recovery at 2025-11-03 02:14:07 UTC",
	"LOG:  database system was interrupted; last known up at 2025-11-03 02:14:07 UTC",
	"LOG:  database system was not properly shut down; automatic recovery in progress",
	"LOG:  redo starts at 0/7C7478",
	"LOG:  redo is not required",
	"LOG:  consistent recovery state reached at 0/823B70",
	"LOG:  redo done at 0/823B48 system usage: CPU: user: 0.00 s, system: 0.00 s, elapsed: 0.01 s",
	"LOG:  last completed transaction was at log time 2025-11-03 04:58:38.719554+00",
	"LOG:  selected new timeline ID: 3",
	"LOG:  archive recovery complete",
	"LOG:  MultiXact member wraparound protections are now enabled",
	"LOG:  restored log file \"000000010000000000000007\" from archive",
	"LOG:  entering standby mode",
	"LOG:  started streaming WAL from primary at 0/7000000 on timeline 1",
	"LOG:  checkpoint starting: time",
	"LOG:  checkpoint complete: wrote 39 buffers (0.2%), wrote 2 SLRU buffers; 0 WAL file(s) added, 0 removed, 0 recycled; write=0.001 s",
	"LOG:  autovacuum launcher started",
	"LOG:  database system is ready to accept connections",
	"LOG:  database system is ready to accept read only connections",
	"LOG:  received fast shutdown request",
	"LOG:  aborting any active transactions",
	"LOG:  background worker \"logical replication launcher\" (PID 35) exited with exit code 1",
	"LOG:  shutting down",
	"LOG:  database system is shut down",
	"LOG:  invalid record length at 0/823B70: wanted 24, got 0",
	"FATAL:  the database system is starting up",
	"FATAL:  terminating connection due to administrator command",
	"FATAL:  password authentication failed for user \"app\"",
	"FATAL:  database \"nosuch\" does not exist",
	"FATAL:  role \"root\" does not exist",
	"ERROR:  relation \"nosuch\" does not exist at character 15",
	"ERROR:  duplicate key value violates unique constraint \"t_pkey\"",
	"ERROR:  invalid byte sequence for encoding \"UTF8\": 0xff",
	"ERROR:  canceling statement due to statement timeout",
	"ERROR:  could not access file \"$libdir/nosuch\": No such file or directory",
	"LOG:  could not receive data from client: Connection reset by peer",
	"STATEMENT:  select 'PANIC:  invalid lp'",
	"WARNING:  there is no transaction in progress",
}

func TestOrdinaryLinesAreHarmless(t *testing.T) {
	c := mustCatalogue(t)
	for _, line := range ordinaryLines {
		for _, h := range mustMatch(t, c, samplePrefix+line+"\n").Hits {
			if h.Weighed() != SeverityHarmless {
				t.Errorf("%q is taken for %s", line, h.ID)
			}
		}
	}
	r := mustMatch(t, c, samplePrefix+strings.Join(ordinaryLines, "\n"+samplePrefix)+"\n")
	if playbook, why := r.Choose(); playbook != "" || why == "" {
		t.Errorf("a healthy log leads to %q because %q", playbook, why)
	}
	told := strings.Join(r.Explain(), "\n")
	if !strings.Contains(told, englishOnly) {
		t.Errorf("a log without findings must say what can be read:\n%s", told)
	}
}
