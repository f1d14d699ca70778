package pgdisk

import (
	"fmt"
	"hash/crc32"
	"math/bits"
	"slices"
	"strings"
)

// WALByteFix is a change of one byte of a record.
type WALByteFix struct {
	Off  int  // in the record, page headers taken out
	Was  byte // what is there
	Want byte // what makes the checksum hold
}

// String names place and both values.
func (f WALByteFix) String() string {
	return fmt.Sprintf("byte %d from 0x%02X to 0x%02X", f.Off, f.Was, f.Want)
}

// walMaxPairSearch bounds the search for two damaged bytes: the pairs of a record of n bytes
// hit the checksum by chance about (255n)²/2³³ times.
const walMaxPairSearch = 512

// walMaxFixTries is how many changes may be tried on one record before they are named. Of a
// record with damage of another kind each has odds of 1 to 2³² to make the checksum hold: in at
// most one of a thousand such records a change is found that was never made.
const walMaxFixTries = 1 << 32 / 1000

// SearchWALByteFix returns every change of one byte that makes the checksum of a record
// hold, in order of place. raw is the whole record as stored, page headers taken out.
//
// A wrong byte is found among n·255 candidates without computing a checksum for any of
// them: CRC-32C is linear, so the difference between the stored and the computed sum is the
// sum of what each wrong bit contributes, and what a bit contributes depends only on how far
// it lies from the end. A change that is found by chance has odds of n·255 to 2³²; whoever
// applies one must ask for exactly one hit, and for a record that decodes (see
// WALRecordFixes).
func SearchWALByteFix(raw []byte) []WALByteFix {
	if len(raw) < walRecordHeaderSize {
		return nil
	}
	var fixes []WALByteFix
	target := WALRecordCRC(raw) ^ storedWALCRC(raw)
	if target == 0 {
		return nil
	}
	eachWALSyndrome(raw, func(off int, delta byte, syndrome uint32) {
		if syndrome == target {
			fixes = append(fixes, WALByteFix{Off: off, Was: raw[off], Want: raw[off] ^ delta})
		}
	})
	slices.SortFunc(fixes, func(a, b WALByteFix) int { return a.Off - b.Off })
	return fixes
}

// SearchWALPairFix is SearchWALByteFix for changes of two bytes; it returns nothing for a
// record of more than 512 bytes, among whose pairs chance hits are the rule.
func SearchWALPairFix(raw []byte) [][2]WALByteFix {
	if len(raw) < walRecordHeaderSize || len(raw) > walMaxPairSearch {
		return nil
	}
	target := WALRecordCRC(raw) ^ storedWALCRC(raw)
	if target == 0 {
		return nil
	}
	type change struct {
		off   int
		delta byte
	}
	seen := make(map[uint32][]change, 255*len(raw))
	var fixes [][2]WALByteFix
	eachWALSyndrome(raw, func(off int, delta byte, syndrome uint32) {
		for _, c := range seen[syndrome^target] {
			if c.off != off {
				pair := [2]WALByteFix{
					{Off: c.off, Was: raw[c.off], Want: raw[c.off] ^ c.delta},
					{Off: off, Was: raw[off], Want: raw[off] ^ delta},
				}
				slices.SortFunc(pair[:], func(a, b WALByteFix) int { return a.Off - b.Off })
				fixes = append(fixes, pair)
			}
		}
		seen[syndrome] = append(seen[syndrome], change{off, delta})
	})
	return fixes
}

// eachWALSyndrome visits every change of one byte of a record with what it does to the
// difference of the two checksums.
func eachWALSyndrome(raw []byte, visit func(off int, delta byte, syndrome uint32)) {
	table := crc32.MakeTable(crc32.Castagnoli)
	var contributes [8]uint32 // each bit of the byte looked at
	for k := range contributes {
		contributes[k] = table[1<<k]
	}
	// From the last byte that goes into the sum to the first: header, then data.
	for i := range len(raw) - 4 {
		off := walRecordCRCOffset - 1 - i
		if off < 0 {
			off += len(raw) // from the header on to the end of the data
		}
		syndrome := uint32(0)
		for d := 1; d < 256; d++ {
			syndrome ^= contributes[bits.TrailingZeros(uint(d))] // a Gray code: one bit changes at a time
			visit(off, byte(d^d>>1), syndrome)
		}
		for k, c := range contributes {
			contributes[k] = table[byte(c)] ^ c>>8
		}
	}
	for off := range 4 { // xl_crc itself may be what is wrong
		for d := 1; d < 256; d++ {
			visit(walRecordCRCOffset+off, byte(d), uint32(d)<<(8*off))
		}
	}
}

// WALRecordFixes returns the changes that turn raw into a record which decodes, follows the
// record at prev and is of a kind that the major has: of one byte, or of one bit in a record of
// more than 16 kB, or failing that of two bits in one of up to 366 bytes. Of others there are so
// many that one fits by chance too often. More than one answer means that none can be trusted.
func WALRecordFixes(raw []byte, major int, prev LSN) [][]WALByteFix {
	var sound [][]WALByteFix
	for _, f := range SearchWALByteFix(raw) {
		if 255*len(raw) > walMaxFixTries && !f.oneBit() {
			continue
		}
		if fix := []WALByteFix{f}; soundWALFix(raw, fix, major, prev) {
			sound = append(sound, fix)
		}
	}
	if len(sound) > 0 || 32*len(raw)*len(raw) > walMaxFixTries { // (8n)²/2 pairs of bits
		return sound
	}
	for _, pair := range SearchWALPairFix(raw) {
		if fix := pair[:]; pair[0].oneBit() && pair[1].oneBit() && soundWALFix(raw, fix, major, prev) {
			sound = append(sound, fix)
		}
	}
	return sound
}

// oneBit reports whether one bit of the byte is changed.
func (f WALByteFix) oneBit() bool { return bits.OnesCount8(f.Was^f.Want) == 1 }

// soundWALFix reports whether the changed record is one that a server could have written there.
func soundWALFix(raw []byte, fix []WALByteFix, major int, prev LSN) bool {
	fixed := slices.Clone(raw)
	for _, f := range fix {
		fixed[f.Off] = f.Want
	}
	var rec WALRecord
	err := DecodeWALRecord(fixed, major, &rec)
	return err == nil && rec.Prev == prev && rec.Rmid.Valid(major) && !strings.HasPrefix(rec.Class(), "UNKNOWN") &&
		fixed[18] == 0 && fixed[19] == 0 // padding, which servers write as zeros
}
