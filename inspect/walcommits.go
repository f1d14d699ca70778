package inspect

import (
	"strconv"
	"time"

	"github.com/pgrescue/pgrescue/pgops/pgdisk"
)

// walXactJSON is the object of one end of a transaction.
type walXactJSON struct {
	Kind     string       `json:"kind"`  // transaction
	Class    string       `json:"class"` // COMMIT, ABORT, PREPARE, COMMIT_PREPARED, ABORT_PREPARED
	LSN      string       `json:"lsn"`
	EndLSN   string       `json:"end_lsn"`
	XID      pgdisk.XID   `json:"xid"`
	Time     string       `json:"time"`
	Database pgdisk.OID   `json:"database,omitempty"`
	GID      string       `json:"gid,omitempty"`
	Subxacts []pgdisk.XID `json:"subxacts,omitempty"`
	Dropped  []string     `json:"dropped,omitempty"` // TABLESPACE/DATABASE/RELATION
	Problem  string       `json:"problem,omitempty"`
}

// appendCommit adds a record if it ends or prepares a transaction.
func (r *walRun) appendCommit(p *walPart, rec *pgdisk.WALRecord) (bool, error) {
	x, ok, err := rec.WALXact()
	if !ok {
		return false, nil
	}
	if r.opt.JSON {
		obj := walXactJSON{
			Kind: "transaction", Class: x.Kind.String(), LSN: x.LSN.String(), EndLSN: rec.EndLSN.String(), XID: x.XID,
			Time: x.Time.Format(time.RFC3339Nano), Database: x.Database, GID: x.GID,
		}
		for i := range x.Subxacts.Len() {
			obj.Subxacts = append(obj.Subxacts, x.Subxacts.At(i))
		}
		for i := range x.Dropped.Len() {
			obj.Dropped = append(obj.Dropped, x.Dropped.At(i).String())
		}
		if err != nil {
			obj.Problem = err.Error()
		}
		return true, p.json(&obj)
	}
	at := len(p.out)
	p.out = pad(appendLSN(p.out, x.LSN), at+11)
	p.out = pad(append(p.out, x.Kind.String()...), at+28)
	p.out = pad(strconv.AppendUint(append(p.out, "xid "...), uint64(x.XID), 10), at+44)
	p.out = x.Time.AppendFormat(p.out, walTime)
	if x.GID != "" {
		p.out = strconv.AppendQuote(append(p.out, "  gid "...), x.GID)
	}
	if n := x.Subxacts.Len(); n > 0 {
		p.out = append(p.out, "  subxacts"...)
		for i := range n {
			p.out = strconv.AppendUint(append(p.out, ' '), uint64(x.Subxacts.At(i)), 10)
		}
	}
	if n := x.Dropped.Len(); n > 0 {
		p.out = append(p.out, "  dropped"...)
		for i := range n {
			p.out = append(append(p.out, ' '), x.Dropped.At(i).String()...)
		}
	}
	if err != nil {
		p.out = append(append(p.out, "  PROBLEM: "...), err.Error()...)
	}
	p.out = append(p.out, '\n')
	return true, nil
}
