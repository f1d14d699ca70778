package pgops

import (
	"strings"
	"testing"
	"testing/fstest"

	"github.com/pgrescue/pgrescue/pgops/pgdisk"
)

func TestBlankXactIsSaid(t *testing.T) {
	page := func(fate byte) []byte {
		b := make([]byte, pgdisk.BlockSize)
		for i := range b {
			b[i] = fate
		}
		return b
	}
	committed, blank := page(0x55), page(0)
	for _, c := range []struct {
		name string
		file []byte
		next pgdisk.FullXID
		want int
	}{
		{"all committed", append(append([]byte{}, committed...), committed...), 40000, 0},
		{"the first page wiped", append(append([]byte{}, blank...), committed...), 40000, 1},
		{"the page in use wiped", append(append([]byte{}, committed...), blank...), 40000, 1},
		{"too few to tell", append(append([]byte{}, committed...), blank...), 32768 + 100, 0},
		{"one of thousands has a fate", append(append(append([]byte{}, committed...), 1), blank[1:]...), 40000, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			control := &pgdisk.Control{}
			control.CheckpointCopy.OldestXID, control.CheckpointCopy.NextXID = 700, c.next
			ev := &Evidence{Control: ControlEvidence{State: ControlGood, Values: control}}
			cluster := &Cluster{fsys: fstest.MapFS{"pg_xact/0000": {Data: c.file}}}
			if err := cluster.scanBlankXact(t.Context(), ev); err != nil {
				t.Fatal(err)
			}
			if len(ev.Xact.Blank) != c.want {
				t.Fatalf("blank runs %v, want %d", ev.Xact.Blank, c.want)
			}
			r := &resetting{ev: ev, plan: &ResetPlan{}}
			r.blankXact()
			if len(r.plan.Warnings) != c.want || c.want > 0 && !strings.Contains(r.plan.Warnings[0], "out of sight") {
				t.Errorf("warnings %q", r.plan.Warnings)
			}
		})
	}
}
