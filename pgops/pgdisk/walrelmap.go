package pgdisk

// walRelMapUpdate is XLOG_RELMAP_UPDATE (utils/relmapper.h).
const walRelMapUpdate = 0x00

// WALRelMap is a RelMap/UPDATE record (xl_relmap_update): a pg_filenode.map is written anew.
type WALRelMap struct {
	Database   OID // 0: the map in global/
	Tablespace OID
	Data       []byte // the whole file, see DecodeRelMap
}

// WALRelMap decodes a RelMap/UPDATE record.
func (r *WALRecord) WALRelMap() (m WALRelMap, ok bool) {
	if !r.Is(RmgrRelMap, walRelMapUpdate) {
		return WALRelMap{}, false
	}
	d := walBody{b: r.MainData}
	m = WALRelMap{Database: OID(d.u32()), Tablespace: OID(d.u32()), Data: d.array(1)}
	return m, !d.short
}
