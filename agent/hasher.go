package agent

import (
	"crypto/sha256"
	"hash"
)

// chunkSize is how much is read, hashed and written at a time. It is a multiple of the
// page size and small enough for the processor's cache.
const chunkSize = 256 << 10

// hasher computes a file's SHA-256 and checks its pages beside the goroutine that reads
// and writes. Buffers go round: the copier fills one, hands it over, writes it out, and
// gets it back once it is hashed as well. It serves one file after the other.
type hasher struct {
	in   chan chunk
	free chan []byte
	sum  chan [32]byte
}

// chunk is a part of a file: bytes, zeros, the start of a file or its end.
type chunk struct {
	begin bool
	pages *pageCheck // with begin; may be nil
	buf   []byte     // whole buffer, given back after use
	n     int
	zeros int64
	end   bool
}

const hasherBuffers = 4

func newHasher() *hasher {
	h := &hasher{in: make(chan chunk, hasherBuffers+2), free: make(chan []byte, hasherBuffers), sum: make(chan [32]byte, 1)}
	for range hasherBuffers {
		h.free <- make([]byte, chunkSize)
	}
	go h.run()
	return h
}

func (h *hasher) close() { close(h.in) }

func (h *hasher) run() {
	state := sha256.New()
	zeros := make([]byte, 64<<10)
	var pages *pageCheck
	for p := range h.in {
		switch {
		case p.begin:
			state.Reset()
			pages = p.pages
		case p.end:
			h.sum <- [32]byte(state.Sum(nil))
		case p.buf != nil:
			state.Write(p.buf[:p.n])
			if pages != nil {
				pages.feed(p.buf[:p.n])
			}
			h.free <- p.buf
		default:
			hashZeros(state, zeros, p.zeros)
			if pages != nil {
				pages.skip(p.zeros)
			}
		}
	}
}

func hashZeros(state hash.Hash, zeros []byte, n int64) {
	for n > 0 {
		k := min(n, int64(len(zeros)))
		state.Write(zeros[:k])
		n -= k
	}
}
