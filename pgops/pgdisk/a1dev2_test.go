package pgdisk

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"
)

func TestA1Npm(t *testing.T) {
	if os.Getenv("A1DEV") == "" {
		t.Skip("SKIP-REASON: development")
	}
	for _, m := range []int{14, 16} {
		t.Run(fmt.Sprint(m), func(t *testing.T) {
			dir := fmt.Sprintf("/tmp/a1/npm/out%d", m)
			text, _ := os.ReadFile(dir + "/start")
			start, err := ParseLSN(strings.TrimSpace(string(text)))
			if err != nil {
				t.Fatal(err)
			}
			src := WALSource{FS: os.DirFS(dir + "/one"), SegSize: 1 << 20, Timeline: 1}
			descs := map[LSN][]string{}
			if f, err := os.Open(dir + "/walinspect"); err == nil {
				s := bufio.NewScanner(f)
				s.Buffer(nil, 64<<20)
				for s.Scan() {
					p := strings.SplitN(s.Text(), "\t", 4)
					lsn, _ := ParseLSN(p[0])
					descs[lsn] = p[1:]
				}
			}
			fpi := map[string]string{}
			if b, err := os.ReadFile(dir + "/fpi"); err == nil {
				for l := range strings.Lines(string(b)) {
					f := strings.Fields(l)
					fpi[f[0]+" "+f[1]] = f[2]
				}
			}
			c := walImageCheck{t: t, live: readLivePages(t, dir+"/pages"), seen: map[string]int{}, saved: map[string]string{}}
			kinds := map[string]int{}
			bad, cmp, nfpi := 0, 0, 0
			_, err = FindWALEnd(t.Context(), src, start, func(rec *WALRecord) error {
				kinds[rec.String()]++
				if _, err := rec.Fields(); err != nil {
					t.Errorf("%s %s: %v", rec.LSN, rec, err)
					bad++
				}
				if d, ok := descs[rec.LSN]; ok {
					cmp++
					l := walTruthLine{desc: a1time(d[2])}
					if d[0] != rec.Rmid.String() || d[1] != rec.Class() {
						t.Errorf("%s %s: %v", rec.LSN, rec, d)
					}
					if diff := l.diffFields(rec); diff != "" {
						t.Errorf("%s: %s", rec.LSN, diff)
						bad++
					}
				}
				for i := range rec.Blocks {
					b := &rec.Blocks[i]
					if !b.HasImage {
						continue
					}
					page, err := b.Page()
					if err != nil {
						t.Error(err)
						continue
					}
					c.seen["image "+b.Compression.String()]++
					if want, ok := fpi[fmt.Sprintf("%s %d", rec.LSN, b.ID)]; ok {
						nfpi++
						sum := sha256.Sum256(page)
						if want != hex.EncodeToString(sum[:]) {
							t.Errorf("%s image %d differs", rec.LSN, b.ID)
							bad++
						}
					}
					c.liveAs(rec, b, page)
					if diff := c.after(rec, b, page); diff != "" {
						t.Errorf("%s %s: %s", rec.LSN, rec, diff)
						bad++
					}
				}
				if bad > 20 {
					return fmt.Errorf("too many")
				}
				return nil
			})
			if err != nil {
				t.Error(err)
			}
			c.wantSeen(t)
			t.Logf("%d compared of %d, %d fpi of %d, %d kinds, live left %d", cmp, len(descs), nfpi, len(fpi), len(kinds), len(c.live))
		})
	}
}

var a1re = regexp.MustCompile(`(\d\d:\d\d:\d\d)(\.\d+)?\+00`)

func a1time(s string) string {
	return a1re.ReplaceAllStringFunc(s, func(m string) string {
		p := a1re.FindStringSubmatch(m)
		return p[1] + (p[2] + ".000000"[len(p[2]):])[:7] + " UTC"
	})
}
