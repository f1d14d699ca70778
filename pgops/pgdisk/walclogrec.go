package pgdisk

// Classes of CLOG records (CLOG_*, access/clog.h).
const (
	walCLOGZeroPage = 0x00
	walCLOGTruncate = 0x10
)

// slruPage reads the page number with which records of SLRUs begin: 8 bytes from 17 on.
func (d *walBody) slruPage(major int) uint64 {
	if major >= 17 {
		return d.u64()
	}
	return uint64(d.u32())
}

// WALCLOGZero decodes a CLOG/ZEROPAGE record: a page of pg_xact comes into use.
func (r *WALRecord) WALCLOGZero() (page uint64, ok bool) {
	if !r.Is(RmgrCLOG, walCLOGZeroPage) {
		return 0, false
	}
	d := walBody{b: r.MainData}
	page = d.slruPage(r.Major)
	return page, !d.short
}

// WALCLOGTruncate is a CLOG/TRUNCATE record (xl_clog_truncate): pg_xact before Page goes away.
type WALCLOGTruncate struct {
	Page        uint64
	OldestXID   XID
	OldestXIDDB OID
}

// WALCLOGTruncate decodes a CLOG/TRUNCATE record.
func (r *WALRecord) WALCLOGTruncate() (t WALCLOGTruncate, ok bool) {
	if !r.Is(RmgrCLOG, walCLOGTruncate) {
		return WALCLOGTruncate{}, false
	}
	d := walBody{b: r.MainData}
	t = WALCLOGTruncate{Page: d.slruPage(r.Major), OldestXID: XID(d.u32()), OldestXIDDB: OID(d.u32())}
	return t, !d.short
}
