package pgdisk

import "fmt"

// Shape of PGLZ's bytes (common/pg_lzcompress.c): a control byte says of each of the next
// eight items, lowest bit first, whether it is a literal byte (0) or a tag (1). A tag has two
// bytes, or three when its length is the longest that fits four bits.
const (
	pglzMinMatch  = 3                 // shortest copy, stored as 0
	pglzLongMatch = 15 + pglzMinMatch // from here on a third byte adds to the length
)

// pglzDecompress fills dst from src as pglz_decompress does with check_complete: both must
// come to their end together. It neither reads nor writes outside of them.
func pglzDecompress(dst, src []byte) error {
	sp, dp := 0, 0
	for sp < len(src) && dp < len(dst) {
		ctrl := src[sp]
		sp++
		if ctrl == 0 && len(src)-sp >= 8 && len(dst)-dp >= 8 {
			copy(dst[dp:dp+8], src[sp:sp+8])
			sp, dp = sp+8, dp+8
			continue
		}
		for bit := 0; bit < 8 && sp < len(src) && dp < len(dst); bit++ {
			if ctrl>>bit&1 == 0 {
				dst[dp] = src[sp]
				sp, dp = sp+1, dp+1
				continue
			}
			n, err := pglzTag(dst, dp, src[sp:])
			if err != nil {
				return pglzError(sp, err)
			}
			sp += n.tag
			dp += n.copied
		}
	}
	if sp != len(src) || dp != len(dst) {
		return &FormatError{File: "PGLZ data", Off: int64(sp), Field: "end",
			Want: fmt.Sprintf("%d bytes from all %d", len(dst), len(src)), Got: fmt.Sprintf("%d bytes from %d", dp, sp)}
	}
	return nil
}

// pglzStep says how far one tag leads.
type pglzStep struct{ tag, copied int }

// pglzTag carries out the tag at the start of src, copying within dst to dp.
func pglzTag(dst []byte, dp int, src []byte) (pglzStep, error) {
	if len(src) < 2 {
		return pglzStep{}, errPGLZTag
	}
	n := int(src[0]&0x0F) + pglzMinMatch
	off := int(src[0]&0xF0)<<4 | int(src[1])
	step := pglzStep{tag: 2}
	if n == pglzLongMatch {
		if len(src) < 3 {
			return pglzStep{}, errPGLZTag
		}
		n += int(src[2])
		step.tag = 3
	}
	if off == 0 || off > dp {
		return pglzStep{}, errPGLZOffset
	}
	step.copied = min(n, len(dst)-dp)
	pglzCopy(dst[dp:dp+step.copied], dst[dp-off:dp+step.copied])
	return step, nil
}

// pglzCopy fills to, which begins where the first part of from ends: what is copied may
// include bytes that this very copy writes. Each turn doubles what there is to copy from.
func pglzCopy(to, from []byte) {
	off := len(from) - len(to)
	for n := 0; n < len(to); {
		n += copy(to[n:], from[:off+n])
	}
}

// pglzFault is a reason for which a tag cannot be carried out.
type pglzFault string

func (e pglzFault) Error() string { return string(e) }

const (
	errPGLZTag    pglzFault = "a tag cut short"
	errPGLZOffset pglzFault = "a tag that refers to before the start"
)

func pglzError(at int, err error) error {
	return &FormatError{File: "PGLZ data", Off: int64(at), Field: "tag", Want: "a copy from what came before", Got: err.Error()}
}
