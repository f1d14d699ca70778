package pgdisk

import (
	"encoding/binary"
	"fmt"
	"math"
)

// Numbers of a hash index (access/hash.h).
const (
	HashMagic      uint32 = 0x6440640 // HASH_MAGIC
	hashVersion           = 4         // HASH_VERSION, of every index made by 10 or later
	hashPageID     uint16 = 0xFF80    // HASHO_PAGE_ID
	hashOpaqueSize        = 16        // sizeof(HashPageOpaqueData)
	hashSpares            = 98        // HASH_MAX_SPLITPOINTS
	hashMaps              = 1024      // HASH_MAX_BITMAPS
	hashMetaFixed         = 52        // to the start of hashm_spares
)

// HashFlags are type and state of a hash index page (hasho_flag, access/hash.h).
type HashFlags uint16

// The flags. The first four are the type of the page; none of them is an unused page.
const (
	HashOverflow          HashFlags = 1 << iota // LH_OVERFLOW_PAGE
	HashBucket                                  // LH_BUCKET_PAGE
	HashBitmap                                  // LH_BITMAP_PAGE
	HashMeta                                    // LH_META_PAGE
	HashBeingPopulated                          // LH_BUCKET_BEING_POPULATED
	HashBeingSplit                              // LH_BUCKET_BEING_SPLIT
	HashNeedsSplitCleanup                       // LH_BUCKET_NEEDS_SPLIT_CLEANUP
	HashHasDeadTuples                           // LH_PAGE_HAS_DEAD_TUPLES
	hashTypeMask          = HashOverflow | HashBucket | HashBitmap | HashMeta
	hashValidFlags        = hashTypeMask | HashBeingPopulated | HashBeingSplit | HashNeedsSplitCleanup | HashHasDeadTuples
)

// Type keeps the bits of the page's type (LH_PAGE_TYPE).
func (f HashFlags) Type() HashFlags { return f & hashTypeMask }

// Words names the flags that are set, as hash.h does without LH_.
func (f HashFlags) Words() []string {
	return bitWords(uint16(f), []bitWord{
		{uint16(HashOverflow), "OVERFLOW_PAGE"}, {uint16(HashBucket), "BUCKET_PAGE"}, {uint16(HashBitmap), "BITMAP_PAGE"},
		{uint16(HashMeta), "META_PAGE"}, {uint16(HashBeingPopulated), "BUCKET_BEING_POPULATED"},
		{uint16(HashBeingSplit), "BUCKET_BEING_SPLIT"}, {uint16(HashNeedsSplitCleanup), "BUCKET_NEEDS_SPLIT_CLEANUP"},
		{uint16(HashHasDeadTuples), "PAGE_HAS_DEAD_TUPLES"},
	})
}

// HashOpaque is the special part of a hash index page (HashPageOpaqueData, access/hash.h).
type HashOpaque struct {
	// Prev is the previous page of the bucket's chain; of a bucket's first page the highest
	// bucket that there was when it was last split.
	Prev   BlockNumber
	Next   BlockNumber // InvalidBlock at the end of the chain
	Bucket uint32
	Flags  HashFlags
	PageID uint16 // 0xFF80
}

// DecodeHashOpaque reads the special part of a page. It is an error when there is none of its
// size or it has not the page id of a hash index.
func DecodeHashOpaque(page []byte) (HashOpaque, error) {
	b, err := specialOf(page, hashOpaqueSize, "hash page")
	if err != nil {
		return HashOpaque{}, err
	}
	le := binary.LittleEndian
	o := HashOpaque{
		Prev: BlockNumber(le.Uint32(b)), Next: BlockNumber(le.Uint32(b[4:])), Bucket: le.Uint32(b[8:]),
		Flags: HashFlags(le.Uint16(b[12:])), PageID: le.Uint16(b[14:]),
	}
	return o, wantPageID(o.PageID, hashPageID, "hasho_page_id")
}

// HasItems reports whether line pointers follow the page header: on buckets and overflow pages.
func (o HashOpaque) HasItems() bool { return o.Flags&(HashBucket|HashOverflow) != 0 }

// Problems lists what is wrong with the special part, nothing for a sound one.
func (o HashOpaque) Problems() []*FormatError {
	const at = BlockSize - hashOpaqueSize + 12
	if extra := o.Flags &^ hashValidFlags; extra != 0 {
		return []*FormatError{{Off: at, Field: "hasho_flag", Want: fmt.Sprintf("no bits but 0x%04X", uint16(hashValidFlags)), Got: fmt.Sprintf("0x%04X", uint16(o.Flags))}}
	}
	if t := o.Flags.Type(); t&(t-1) != 0 {
		return []*FormatError{{Off: at, Field: "hasho_flag", Want: "one type of page", Got: fmt.Sprintf("0x%04X", uint16(o.Flags))}}
	}
	return nil
}

// HashMetaPage is block 0 of a hash index (HashMetaPageData, access/hash.h).
type HashMetaPage struct {
	Magic, Version    uint32
	Tuples            float64       // hashm_ntuples: entries in the index
	FillFactor        uint16        // hashm_ffactor: tuples aimed at per bucket
	PageSize          uint16        // hashm_bsize: bytes of a page for entries
	BitmapBytes       uint16        // hashm_bmsize
	BitmapShift       uint16        // hashm_bmshift: log2 of the bits of a bitmap page
	MaxBucket         uint32        // hashm_maxbucket
	HighMask, LowMask uint32        // hashm_highmask, hashm_lowmask
	OverflowPoint     uint32        // hashm_ovflpoint: splitpoint from which overflow pages are taken
	FirstFree         uint32        // hashm_firstfree: lowest bit that may be a free overflow page
	Procedure         OID           // hashm_procid: the hash function
	Spares            []uint32      // hashm_spares: overflow pages before each splitpoint, up to OverflowPoint
	Maps              []BlockNumber // hashm_mapp: bitmap pages, hashm_nmaps of them
}

// DecodeHashMetaPage reads the meta page of a hash index. Counts beyond their arrays are an
// error; the arrays are then cut.
func DecodeHashMetaPage(page []byte) (HashMetaPage, error) {
	if err := wholePage("hash meta page", page); err != nil {
		return HashMetaPage{}, err
	}
	le, b := binary.LittleEndian, page[PageHeaderSize:PageHeaderSize+hashMetaFixed+4*(hashSpares+hashMaps)]
	m := HashMetaPage{
		Magic: le.Uint32(b), Version: le.Uint32(b[4:]), Tuples: math.Float64frombits(le.Uint64(b[8:])),
		FillFactor: le.Uint16(b[16:]), PageSize: le.Uint16(b[18:]), BitmapBytes: le.Uint16(b[20:]), BitmapShift: le.Uint16(b[22:]),
		MaxBucket: le.Uint32(b[24:]), HighMask: le.Uint32(b[28:]), LowMask: le.Uint32(b[32:]),
		OverflowPoint: le.Uint32(b[36:]), FirstFree: le.Uint32(b[40:]),
	}
	maps := le.Uint32(b[44:])
	m.Procedure = OID(le.Uint32(b[48:]))
	b = b[52:]
	for i := range min(m.OverflowPoint, hashSpares-1) + 1 {
		m.Spares = append(m.Spares, le.Uint32(b[4*i:]))
	}
	b = b[4*hashSpares:]
	for i := range min(maps, hashMaps) {
		m.Maps = append(m.Maps, BlockNumber(le.Uint32(b[4*i:])))
	}
	return m, m.problem(maps)
}

func (m HashMetaPage) problem(maps uint32) error {
	bad := func(off int64, field, want string, got any) error {
		return &FormatError{Off: PageHeaderSize + off, Field: field, Want: want, Got: fmt.Sprint(got)}
	}
	switch {
	case m.Magic != HashMagic:
		return bad(0, "hashm_magic", fmt.Sprintf("0x%X", HashMagic), fmt.Sprintf("0x%X", m.Magic))
	case m.Version != hashVersion:
		return bad(4, "hashm_version", fmt.Sprint(hashVersion), m.Version)
	case m.OverflowPoint >= hashSpares:
		return bad(36, "hashm_ovflpoint", fmt.Sprintf("less than %d", hashSpares), m.OverflowPoint)
	case maps > hashMaps:
		return bad(44, "hashm_nmaps", fmt.Sprintf("at most %d", hashMaps), maps)
	}
	return nil
}
