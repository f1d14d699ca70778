package values

import (
	"encoding/binary"
	"math/bits"
	"strconv"
)

// Fields of a lexeme's entry (WordEntry, tsearch/ts_type.h), from the lowest bit.
const (
	lexemeHasPos  = 1         // haspos
	lexemeLen     = 1<<11 - 1 // len, after 1 bit
	lexemePos     = 1<<20 - 1 // pos, after 12 bits
	positionBits  = 14        // of a WordEntryPos; the weight above them
	maxLexemePos  = 1<<positionBits - 1
	lexemeEntry   = 4 // sizeof(WordEntry)
	tsvectorStart = 4 // after the number of lexemes
)

// tsvectorOut prints the lexemes with their positions and weights (tsvectorout,
// utils/adt/tsvector.c).
func tsvectorOut(dst []byte, t *Type, v []byte, _ *Env) ([]byte, error) {
	if len(v) < tsvectorStart {
		return dst, shortValue(t, v, tsvectorStart)
	}
	le := binary.LittleEndian
	n := int(int32(le.Uint32(v)))
	if n < 0 || n > (len(v)-tsvectorStart)/lexemeEntry {
		return dst, badValue(t, "%d lexemes in %d bytes", n, len(v))
	}
	words := v[tsvectorStart+n*lexemeEntry:]
	for i := range n {
		e := le.Uint32(v[tsvectorStart+i*lexemeEntry:])
		start, length := int(e>>12&lexemePos), int(e>>1&lexemeLen)
		if start+length > len(words) {
			return dst, badValue(t, "lexeme %d at %d of %d bytes", i+1, start, len(words))
		}
		if i > 0 {
			dst = append(dst, ' ')
		}
		dst = appendLexeme(dst, words[start:start+length])
		if e&lexemeHasPos == 0 {
			continue
		}
		var ok bool
		if dst, ok = appendPositions(dst, words, (start+length+1)&^1); !ok {
			return dst, badValue(t, "the positions of lexeme %d lie after its end", i+1)
		}
	}
	return dst, nil
}

// appendLexeme prints a lexeme in single quotes, with quotes and backslashes doubled.
func appendLexeme(dst, word []byte) []byte {
	dst = append(dst, '\'')
	for _, c := range word {
		if c == '\'' || c == '\\' {
			dst = append(dst, c)
		}
		dst = append(dst, c)
	}
	return append(dst, '\'')
}

// appendPositions prints the positions at off (WordEntryPosVector); false if they do not fit.
func appendPositions(dst, words []byte, off int) ([]byte, bool) {
	le := binary.LittleEndian
	if off+2 > len(words) {
		return dst, false
	}
	n := int(le.Uint16(words[off:]))
	if off += 2; off+2*n > len(words) {
		return dst, false
	}
	for i := range n {
		p := le.Uint16(words[off+2*i:])
		dst = append(dst, ":,"[min(i, 1)])
		dst = strconv.AppendUint(dst, uint64(p&maxLexemePos), 10)
		if w := p >> positionBits; w > 0 {
			dst = append(dst, " CBA"[w])
		}
	}
	return dst, true
}

// Flags of a gtsvector (utils/adt/tsgistidx.c).
const (
	gtsArray   = 0x01 // ARRKEY
	gtsAllTrue = 0x04 // ALLISTRUE
)

// gtsvectorOut prints what a key of a GiST index over tsvectors amounts to (gtsvectorout,
// utils/adt/tsgistidx.c).
func gtsvectorOut(dst []byte, t *Type, v []byte, _ *Env) ([]byte, error) {
	if len(v) < 4 {
		return dst, shortValue(t, v, 4)
	}
	flag, data := binary.LittleEndian.Uint32(v), v[4:]
	switch {
	case flag&gtsArray != 0:
		dst = strconv.AppendInt(dst, int64(len(data)/4), 10)
		return append(dst, " unique words"...), nil
	case flag&gtsAllTrue != 0:
		return append(dst, "all true bits"...), nil
	}
	set := 0
	for _, c := range data {
		set += bits.OnesCount8(c)
	}
	dst = strconv.AppendInt(dst, int64(set), 10)
	dst = append(dst, " true bits, "...)
	dst = strconv.AppendInt(dst, int64(8*len(data)-set), 10)
	return append(dst, " false bits"...), nil
}
