package agent

import (
	"testing"

	"github.com/pgrescue/pgrescue/pgops/pgdisk"
)

// The checksum of a page in the second file of a relation covers its number in the
// relation, not in the file.
func TestPageCheckCountsAcrossSegments(t *testing.T) {
	page := make([]byte, pgdisk.BlockSize)
	copy(page[100:], "content")
	page[12], page[14], page[15], page[17], page[18], page[19] = 28, 100, 0, 0x20, 4, 0x20
	facts := clusterFacts{checksums: true, relSegSize: defaultRelSegSize}
	pgdisk.PutPageChecksum(page, 2*defaultRelSegSize+1)
	tr := &tree{Piece: Piece{Name: "data"}}
	for path, wantBad := range map[string]int64{"base/5/16384.2": 0, "base/5/16384": 1, "base/5/16384.1": 1} {
		var r Record
		p := newPageCheck(tr, path, facts, &r)
		p.skip(pgdisk.BlockSize)
		p.feed(page)
		if r.BadPageCount != wantBad || r.Pages != 2 {
			t.Errorf("%s: %d bad of %d pages, want %d", path, r.BadPageCount, r.Pages, wantBad)
		}
	}
}

func TestPageCheckWithoutChecksums(t *testing.T) {
	var r Record
	p := newPageCheck(&tree{Piece: Piece{Name: "data"}}, "base/5/16384", clusterFacts{relSegSize: defaultRelSegSize}, &r)
	p.feed(make([]byte, pgdisk.BlockSize))
	p.feed(pageOfX)
	p.feed(make([]byte, 17))
	if r.BadPageCount != 1 || r.BadPages[0].Kind != BadHeader || r.BadPages[0].Block != 1 || r.BadPages[0].Detail == "" || r.TornTail != 17 {
		t.Errorf("%+v", r)
	}
}
