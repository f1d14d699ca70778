package pgops

import (
	"regexp"
	"strconv"

	"github.com/pgrescue/pgrescue/pgops/pgdisk"
)

// RedoPosition is what the CONTEXT of a message says about the WAL record that was being replayed
// (rm_redo_error_callback, access/transam/xlogrecovery.c; xlog.c up to 14).
type RedoPosition struct {
	LSN    pgdisk.LSN // where the record starts
	Rmgr   string     // resource manager: Heap, Btree, Transaction
	Op     string     // operation: LOCK, INSERT_LEAF; may carry +INIT
	Desc   string     // the record in the server's words
	Blocks []RedoBlock
}

// RedoBlock is one block reference of a record. 13 and 14 print none: there the record has to be
// read from WAL to learn which block it touches.
type RedoBlock struct {
	Ref                             int
	Tablespace, Database, RelNumber pgdisk.OID
	Fork                            string // main where the server names none; a number from 15 on
	Block                           pgdisk.BlockNumber
	FullPageImage                   bool
}

var (
	redoPattern  = regexp.MustCompile(`WAL redo at ([0-9A-F]{1,8}/[0-9A-F]{1,8}) for ([^\s/:]+)(?:/([^\s:]+))?(?:: (.*))?`)
	blockPattern = regexp.MustCompile(`blkref #(\d+): rel (\d+)/(\d+)/(\d+),?(?: fork (\w+),?)?,? blk (\d+)( FPW)?`)
)

// ParseRedo reads the redo position from a CONTEXT text. ok is false where there is none.
func ParseRedo(context string) (pos RedoPosition, ok bool) {
	m := redoPattern.FindStringSubmatch(context)
	if m == nil {
		return pos, false
	}
	lsn, err := pgdisk.ParseLSN(m[1])
	if err != nil {
		return pos, false
	}
	pos = RedoPosition{LSN: lsn, Rmgr: m[2], Op: m[3], Desc: m[4]}
	for _, b := range blockPattern.FindAllStringSubmatch(context, 33) {
		if block, ok := redoBlock(b); ok {
			pos.Blocks = append(pos.Blocks, block)
		}
	}
	return pos, true
}

// redoBlock converts one match of blockPattern; numbers beyond 32 bits are not block references.
func redoBlock(m []string) (RedoBlock, bool) {
	var nums [5]uint64
	for i, s := range []string{m[1], m[2], m[3], m[4], m[6]} {
		n, err := strconv.ParseUint(s, 10, 32)
		if err != nil {
			return RedoBlock{}, false
		}
		nums[i] = n
	}
	fork := m[5]
	if fork == "" {
		fork = "main"
	}
	return RedoBlock{
		Ref: int(nums[0]), Tablespace: pgdisk.OID(nums[1]), Database: pgdisk.OID(nums[2]),
		RelNumber: pgdisk.OID(nums[3]), Fork: fork, Block: pgdisk.BlockNumber(nums[4]),
		FullPageImage: m[7] != "",
	}, true
}

// Redo returns the redo position of the entry's CONTEXT lines.
func (e *LogEntry) Redo() (RedoPosition, bool) {
	for _, x := range e.Extra {
		if x.Kind != "CONTEXT" {
			continue
		}
		if pos, ok := ParseRedo(x.Text); ok {
			return pos, true
		}
	}
	return RedoPosition{}, false
}
