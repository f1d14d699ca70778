package pgops

import (
	"context"
	"fmt"
	"runtime"
	"strings"
	"testing"
)

const (
	panicLP   = "PANIC:  invalid lp\nCONTEXT:  WAL redo at 0/7006A8 for Heap/LOCK: off 1; blkref #0: rel 1663/5/16427, blk 3\n"
	diskFull  = "PANIC:  could not write to file \"pg_wal/xlogtemp.29\": No space left on device\n"
	stillLive = "FATAL:  lock file \"postmaster.pid\" already exists\n"
	started   = "LOG:  starting PostgreSQL 15.18 on x86_64\n"
	ready     = "LOG:  database system is ready to accept connections\n"
	badPage   = "ERROR:  invalid page in block 1 of relation base/5/16427\n"
)

func TestChoose(t *testing.T) {
	c := mustCatalogue(t)
	for name, tc := range map[string]struct{ log, playbook, why string }{
		"the incident":                         {started + panicLP, PlaybookCrashLoop, "Keep the data as it is"},
		"a damaged page in a running server":   {badPage, PlaybookRescueTable, "rebuilt without loss"},
		"the same page in replay":              {strings.Replace(badPage, "ERROR", "FATAL", 1) + "CONTEXT:  WAL redo at 0/7006A8 for Heap/LOCK: off 1\n", PlaybookCrashLoop, ""},
		"disk full after an old panic":         {started + panicLP + started + diskFull, "", "Free space"},
		"a panic after an old disk full":       {started + diskFull + started + panicLP, PlaybookCrashLoop, ""},
		"a live server after a panic":          {started + panicLP + stillLive, "", "alive"},
		"a live server, damage named too":      {started + stillLive + panicLP, "", "redo-page-mismatch"},
		"disk full, over since":                {started + diskFull + started + ready + badPage, PlaybookRescueTable, ""},
		"a wrong image":                        {"FATAL:  database files are incompatible with server\nDETAIL:  The data directory was initialized by PostgreSQL version 13, which is not compatible with this version 15.18.\n", "", "image"},
		"permissions":                          {"FATAL:  data directory \"/data\" has wrong ownership\n", "", "Give the files back"},
		"a restore without its label":          {"PANIC:  could not locate a valid checkpoint record at 0/DEAD\n", "", "Restore the backup again"},
		"a failing disk":                       {"PANIC:  could not fsync file \"base/5/16427\": Input/output error\n", "", "ddrescue"},
		"end of WAL only":                      {"LOG:  invalid record length at 0/823B70: wanted 24, got 0\n", "", "No message"},
		"a crash after each coming up":         {strings.Repeat(started+ready+panicLP, 3) + started + ready, PlaybookCrashLoop, ""},
		"an index only":                        {"ERROR:  index \"t_pkey\" contains unexpected zero page at block 3\n", PlaybookCheckTables, "REINDEX"},
		"nothing at all":                       {"", "", "No message"},
		"statements are not messages":          {"ERROR:  syntax error\nSTATEMENT:  PANIC:  invalid lp\n", "", "No message"},
		"a reset target named in an SQL error": {"ERROR:  relation \"invalid lp\" does not exist\n", "", "No message"},
	} {
		t.Run(name, func(t *testing.T) {
			r := mustMatch(t, c, tc.log)
			playbook, why := r.Choose()
			if playbook != tc.playbook || !strings.Contains(why, tc.why) {
				t.Errorf("got %q because %q, want %q and %q\nhits %v", playbook, why, tc.playbook, tc.why, ids(r.Hits))
			}
			if len(r.Explain()) == 0 {
				t.Error("nothing explained")
			}
		})
	}
}

func ids(hits []SymptomHit) (out []string) {
	for _, h := range hits {
		out = append(out, h.ID)
	}
	return out
}

// No cause outside the data may carry a playbook, and every text must be there.
func TestCatalogueIsComplete(t *testing.T) {
	c := mustCatalogue(t)
	families := make(map[string]int)
	for _, s := range c.Symptoms() {
		families[s.Family]++
		if s.NotCorruption && s.Playbook != PlaybookNone {
			t.Errorf("%s is no corruption and names the playbook %s", s.ID, s.Playbook)
		}
		for _, text := range append([]string{s.Meaning, s.Next}, s.Remedies...) {
			if !strings.HasSuffix(text, ".") || strings.Contains(text, "  ") {
				t.Errorf("%s: not a sentence: %q", s.ID, text)
			}
		}
	}
	if len(families) != 10 {
		t.Errorf("families %v, want ten", families)
	}
}

func TestDamagedCataloguesAreRefused(t *testing.T) {
	good := "[1] some-thing\nseverity: fatal\nplaybook: none\nmessage: some long text\nmeaning: m.\nnext: n.\n"
	if _, err := parseSymptoms("x.txt", good); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"text before":       "severity: fatal\n",
		"unknown key":       good + "colour: red\n",
		"no colon":          good + "remedy\n",
		"unknown severity":  strings.Replace(good, "fatal", "awful", 1),
		"unknown playbook":  strings.Replace(good, "none", "reset", 1),
		"no meaning":        strings.Replace(good, "meaning: m.\n", "", 1),
		"with before match": "[1] some-thing\nwith: x\n",
	} {
		if _, err := parseSymptoms("x.txt", text); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
	for _, pattern := range []string{"", "{any}", "short", "some {nonsense} here"} {
		if _, _, _, err := translate(pattern); err == nil {
			t.Errorf("pattern %q: taken", pattern)
		}
	}
	one, err := parseSymptoms("x.txt", good)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := newCatalogue(one); err == nil {
		t.Error("a catalogue of one symptom was taken")
	}
}

func TestCaptures(t *testing.T) {
	c := mustCatalogue(t)
	for _, tc := range []struct {
		log  string
		want map[string]string
	}{
		{badPage, map[string]string{"rel": "base/5/16427", "block": "1", "tablespace": "1663", "database": "5", "relfilenode": "16427"}},
		{panicLP, map[string]string{"rel": "base/5/16427", "block": "3", "redo": "0/7006A8", "rmgr": "Heap", "op": "LOCK", "relfilenode": "16427"}},
		{"ERROR:  invalid page in block 1 of relation pg_tblspc/16400/PG_15_202209061/5/16427_vm\n", map[string]string{"tablespace": "16400", "database": "5", "relfilenode": "16427", "fork": "vm"}},
		{"ERROR:  could not open file \"base/5/16427.1\" (target block 131077): previous segment is only 3 blocks\n", map[string]string{"rel": "base/5/16427.1", "block": "131077", "relfilenode": "16427"}},
		{"ERROR:  could not access status of transaction 70001\nDETAIL:  Could not open file \"pg_multixact/offsets/0001\": No such file or directory.\n", map[string]string{"xid": "70001", "file": "pg_multixact/offsets/0001", "segment": "0001"}},
		{"LOG:  incorrect resource manager data checksum in record at 0/804E60\n", map[string]string{"lsn": "0/804E60"}},
		{"FATAL:  could not open file \"pg_wal/000000010000000000000007\": No such file or directory\n", map[string]string{"segment": "000000010000000000000007"}},
		{"ERROR:  heap tuple (3,7) from table \"t\" lacks matching index tuple within index \"t_pkey\"\n", map[string]string{"table": "t", "index": "t_pkey"}},
	} {
		r := mustMatch(t, c, tc.log)
		if len(r.Hits) != 1 {
			t.Errorf("%q: hits %v", tc.log, ids(r.Hits))
			continue
		}
		for name, want := range tc.want {
			if got := r.Hits[0].Captures[name]; got != want {
				t.Errorf("%q: %s is %q, want %q", tc.log, name, got, want)
			}
		}
		if Where(r.Hits[0].Captures) == "" {
			t.Errorf("%q: no place named", tc.log)
		}
	}
}

// An announcement and its message are one finding; alone the announcement counts.
func TestAnnouncementsAreNotCountedTwice(t *testing.T) {
	c := mustCatalogue(t)
	const checksum = "WARNING:  page verification failed, calculated checksum 2001 but expected 31337\n"
	const noCheckpoint = "LOG:  invalid primary checkpoint record\nPANIC:  could not locate a valid checkpoint record\n"
	for _, tc := range []struct {
		log   string
		id    string
		count int
	}{
		{checksum + badPage, "page-invalid", 1},
		{checksum, "page-invalid", 1},
		{checksum + checksum + checksum, "page-invalid", 3},
		{strings.Repeat(started+noCheckpoint, 4), "wal-no-checkpoint", 4},
		{strings.Repeat(started+"LOG:  invalid checkpoint record\n", 2), "wal-no-checkpoint", 2},
	} {
		r := mustMatch(t, c, tc.log)
		if len(r.Hits) != 1 || r.Hits[0].ID != tc.id || r.Hits[0].Count != tc.count {
			t.Errorf("%q: hits %v, first %d times", tc.log, ids(r.Hits), r.Hits[0].Count)
		}
	}
}

// Many objects, many restarts: what is kept stays small, and what is not kept is counted.
func TestMemoryStaysFlat(t *testing.T) {
	c := mustCatalogue(t)
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	r, err := c.Match(context.Background(), &endless{started + panicLP + ready, 4 << 20})
	if err != nil {
		t.Fatal(err)
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	if grown := int64(after.HeapAlloc) - int64(before.HeapAlloc); grown > 4<<20 {
		t.Errorf("%d bytes kept of a 4 MB log", grown)
	}
	if len(r.Hits) != 1 || r.Hits[0].Count < 1000 {
		t.Errorf("hits %v", ids(r.Hits))
	}
	var b strings.Builder
	for i := range 100 {
		fmt.Fprintf(&b, "ERROR:  invalid page in block 1 of relation base/5/%d\n", 20000+i)
	}
	r = mustMatch(t, c, b.String())
	if len(r.Hits) != maxObjects || r.Log.MoreObjects != 100-maxObjects {
		t.Errorf("%d hits, %d more", len(r.Hits), r.Log.MoreObjects)
	}
	if told := strings.Join(r.Explain(), "\n"); !strings.Contains(told, "15 objects more") || !strings.Contains(told, "84 messages") {
		t.Errorf("told as\n%s", told)
	}
}

func BenchmarkMatch(b *testing.B) {
	c := mustCatalogue(b)
	log := samplePrefix + strings.Join(ordinaryLines, "\n"+samplePrefix) + "\n"
	b.SetBytes(int64(len(log)))
	for b.Loop() {
		mustMatch(b, c, log)
	}
}
