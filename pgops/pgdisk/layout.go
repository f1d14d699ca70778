package pgdisk

// Layout holds what differs between the majors in the files read here. One row of the
// table is one major; a new major is a new row.
//
// Offsets are bytes from the start of ControlFileData (catalog/pg_control.h) on a
// 64-bit little endian machine with 8-byte alignment, the only platform that
// PostgreSQL's binary packages have. An offset of 0 means that the major has no such
// field: offset 0 itself is always the system identifier.
type Layout struct {
	Major          int
	ControlVersion uint32 // PG_CONTROL_VERSION, catalog/pg_control.h
	CatalogVersion uint32 // CATALOG_VERSION_NO, catalog/catversion.h
	PageMagic      uint16 // XLOG_PAGE_MAGIC, access/xlog_internal.h

	ControlCheckpointWALLevel int // ControlFileData.checkPointCopy.wal_level, 17 and later
	ControlCharSignedness     int // ControlFileData.default_char_signedness, 18 and later
	ControlNonce              int // ControlFileData.mock_authentication_nonce
	ControlCRC                int // ControlFileData.crc

	RelMapSlots   int  // MAX_MAPPINGS, utils/cache/relmapper.c
	LongNotify    bool // pg_notify uses 15-digit file names (SlruCtl.long_segment_names)
	DatabaseNames bool // pg_database: datcollate and datctype are fixed-width names
}

// layouts lists the majors in ascending order.
//
// It is a function rather than a variable so that nobody can change a row.
func layouts() []Layout {
	return []Layout{
		{Major: 13, ControlVersion: 1300, CatalogVersion: 202007201, PageMagic: 0xD106,
			ControlNonce: 256, ControlCRC: 288, RelMapSlots: 62, DatabaseNames: true},
		{Major: 14, ControlVersion: 1300, CatalogVersion: 202107181, PageMagic: 0xD10D,
			ControlNonce: 256, ControlCRC: 288, RelMapSlots: 62, DatabaseNames: true},
		{Major: 15, ControlVersion: 1300, CatalogVersion: 202209061, PageMagic: 0xD110,
			ControlNonce: 256, ControlCRC: 288, RelMapSlots: 62},
		{Major: 16, ControlVersion: 1300, CatalogVersion: 202307071, PageMagic: 0xD113,
			ControlNonce: 256, ControlCRC: 288, RelMapSlots: 64},
		{Major: 17, ControlVersion: 1700, CatalogVersion: 202406281, PageMagic: 0xD116,
			ControlCheckpointWALLevel: 60, ControlNonce: 256, ControlCRC: 288, RelMapSlots: 64, LongNotify: true},
		{Major: 18, ControlVersion: 1800, CatalogVersion: 202506291, PageMagic: 0xD118,
			ControlCheckpointWALLevel: 60, ControlCharSignedness: 256, ControlNonce: 257, ControlCRC: 292,
			RelMapSlots: 64, LongNotify: true},
	}
}

// Layouts returns the row of every supported major, oldest first.
func Layouts() []Layout { return layouts() }

// LayoutFor returns the row of one major, such as 15.
func LayoutFor(major int) (Layout, bool) {
	for _, l := range layouts() {
		if l.Major == major {
			return l, true
		}
	}
	return Layout{}, false
}

// LayoutForControl returns the row for the two version numbers of a pg_control file.
//
// 13 to 16 share control version 1300 and one layout of pg_control; the catalog version
// tells them apart. A catalog version between two releases (a fork or a pre-release)
// counts as the older one. One below all of them gives the oldest row for the control
// version, with exact false, which is right for pg_control's own layout and a guess for
// everything else: PG_VERSION then decides.
func LayoutForControl(controlVersion, catalogVersion uint32) (l Layout, exact, ok bool) {
	for _, row := range layouts() {
		if row.ControlVersion != controlVersion {
			continue
		}
		if !ok || row.CatalogVersion <= catalogVersion {
			l, ok = row, true
		}
	}
	return l, ok && l.CatalogVersion == catalogVersion, ok
}

// LayoutForPageMagic returns the row for the magic number of a WAL page, the cheapest
// evidence of the major when PG_VERSION and pg_control are gone.
func LayoutForPageMagic(magic uint16) (Layout, bool) {
	for _, l := range layouts() {
		if l.PageMagic == magic {
			return l, true
		}
	}
	return Layout{}, false
}
