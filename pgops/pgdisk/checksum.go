package pgdisk

import "encoding/binary"

// Parameters of the page checksum (storage/checksum_impl.h): 32 FNV-1a like hashes side by
// side, each over every 32nd word.
const (
	checksumLanes = 32                // N_SUMS
	checksumPrime = 16777619          // FNV_PRIME
	checksumRow   = checksumLanes * 4 // bytes that feed each lane once
)

// checksumSeeds are the initial values of the lanes (checksumBaseOffsets).
func checksumSeeds() [checksumLanes]uint32 {
	return [checksumLanes]uint32{
		0x5B1F36E9, 0xB8525960, 0x02AB50AA, 0x1DE66D2A,
		0x79FF467A, 0x9BB9F8A3, 0x217E7CD2, 0x83E13D2C,
		0xF8D4474F, 0xE39EB970, 0x42C6AE16, 0x993216FA,
		0x7B093B5D, 0x98DAFF3C, 0xF718902A, 0x0B1C9CDB,
		0xE58F764B, 0x187636BC, 0x5D7B3BB1, 0xE73DE7DE,
		0x92BEC979, 0xCCA6C0B2, 0x304A0979, 0x85AA43D4,
		0x783125BB, 0x6CA8EAA2, 0xE407EAC6, 0x4B5CFC3E,
		0x9FBF8C76, 0x15CA20BE, 0xF2CA9FD3, 0x959BD756,
	}
}

// PageChecksum computes the checksum that a page stored as block blk should carry
// (pg_checksum_page). blk counts from the start of the relation, across its 1 GB files.
// The page must be BlockSize long; the stored checksum in it is not part of the sum. A new
// page carries no checksum: see VerifyPage.
func PageChecksum(page []byte, blk BlockNumber) uint16 {
	p := (*[BlockSize]byte)(page)
	seeds := checksumSeeds()
	var sum uint32
	for lane := 0; lane < checksumLanes; lane += 8 {
		sum ^= checksumEight(p, lane, (*[8]uint32)(seeds[lane:]))
	}
	return uint16((sum^uint32(blk))%65535 + 1)
}

// checksumEight runs eight neighbouring lanes over the page and folds them. The lanes are
// independent, so eight of them in registers hide each other's multiplications.
func checksumEight(p *[BlockSize]byte, lane int, s *[8]uint32) uint32 {
	s0, s1, s2, s3, s4, s5, s6, s7 := s[0], s[1], s[2], s[3], s[4], s[5], s[6], s[7]
	first := 0
	if lane == 0 { // pd_checksum, the lower half of lane 2's first word, counts as 0
		row := (*[32]byte)(p[:])
		s0, s1 = checksumStep(s0, checksumWord(row, 0)), checksumStep(s1, checksumWord(row, 4))
		s2, s3 = checksumStep(s2, checksumWord(row, 8)&0xFFFF0000), checksumStep(s3, checksumWord(row, 12))
		s4, s5 = checksumStep(s4, checksumWord(row, 16)), checksumStep(s5, checksumWord(row, 20))
		s6, s7 = checksumStep(s6, checksumWord(row, 24)), checksumStep(s7, checksumWord(row, 28))
		first = checksumRow
	}
	for off := lane*4 + first; off <= BlockSize-32; off += checksumRow {
		row := (*[32]byte)(p[off:])
		s0, s1 = checksumStep(s0, checksumWord(row, 0)), checksumStep(s1, checksumWord(row, 4))
		s2, s3 = checksumStep(s2, checksumWord(row, 8)), checksumStep(s3, checksumWord(row, 12))
		s4, s5 = checksumStep(s4, checksumWord(row, 16)), checksumStep(s5, checksumWord(row, 20))
		s6, s7 = checksumStep(s6, checksumWord(row, 24)), checksumStep(s7, checksumWord(row, 28))
	}
	for range 2 { // two rounds of zeroes mix the last words in
		s0, s1, s2, s3 = checksumStep(s0, 0), checksumStep(s1, 0), checksumStep(s2, 0), checksumStep(s3, 0)
		s4, s5, s6, s7 = checksumStep(s4, 0), checksumStep(s5, 0), checksumStep(s6, 0), checksumStep(s7, 0)
	}
	return s0 ^ s1 ^ s2 ^ s3 ^ s4 ^ s5 ^ s6 ^ s7
}

func checksumWord(row *[32]byte, at int) uint32 { return binary.LittleEndian.Uint32(row[at:]) }

// checksumStep is one round (CHECKSUM_COMP).
func checksumStep(sum, word uint32) uint32 {
	x := sum ^ word
	return x*checksumPrime ^ x>>17
}

// PageVerdict is what a page's checksum says.
type PageVerdict int

// The verdicts.
const (
	PageChecksumOK  PageVerdict = iota // stored and computed agree
	PageChecksumBad                    // they do not
	PageNew                            // all zeroes: nothing to check
	PageNewDirty                       // pd_upper is 0 as on a new page, but there is content
)

// VerifyPage compares the stored checksum of a page with the computed one (PageIsVerified,
// storage/page/bufpage.c). It is meaningful only in a cluster with checksums on.
func VerifyPage(page []byte, blk BlockNumber) (v PageVerdict, stored, computed uint16) {
	stored = binary.LittleEndian.Uint16(page[8:])
	if binary.LittleEndian.Uint16(page[14:]) == 0 {
		if PageIsZero(page) {
			return PageNew, 0, 0
		}
		return PageNewDirty, stored, PageChecksum(page, blk)
	}
	if computed = PageChecksum(page, blk); computed != stored {
		return PageChecksumBad, stored, computed
	}
	return PageChecksumOK, stored, computed
}

// PutPageChecksum stamps a page with its checksum (PageSetChecksumInplace). It makes damaged
// content look sound: only for pages whose content was decided on.
func PutPageChecksum(page []byte, blk BlockNumber) {
	binary.LittleEndian.PutUint16(page[8:], PageChecksum(page, blk))
}
