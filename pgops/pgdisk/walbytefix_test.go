package pgdisk

import (
	"bytes"
	"math/rand/v2"
	"slices"
	"testing"
)

// fixRecord gives the bytes of an insert record, and the record before it.
func fixRecord(t testing.TB, n int) (raw []byte, prev LSN) {
	t.Helper()
	w := newWALBuilder(15)
	prev = w.insert(700, 40)
	at := w.insert(701, n)
	r, err := NewWALReader(w.source(), at)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	rec, err := r.Next(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return bytes.Clone(rec.Raw), prev
}

func TestWALByteFixFindsEveryByte(t *testing.T) {
	raw, prev := fixRecord(t, 60)
	if got := SearchWALByteFix(raw); got != nil {
		t.Errorf("a whole record wants %v", got)
	}
	for off := range raw {
		damaged := bytes.Clone(raw)
		damaged[off] ^= byte(1 + off*37%255)
		want := WALByteFix{Off: off, Was: damaged[off], Want: raw[off]}
		if got := SearchWALByteFix(damaged); !slices.Contains(got, want) {
			t.Errorf("byte %d: found %v, want %v", off, got, want)
		}
		if off < 4 { // xl_tot_len: who reads the record must know its length from elsewhere
			continue
		}
		if got := WALRecordFixes(damaged, 15, prev); len(got) != 1 || len(got[0]) != 1 || got[0][0] != want {
			t.Errorf("byte %d: sound are %v, want %v alone", off, got, want)
		}
	}
}

func TestWALByteFixLongRecord(t *testing.T) {
	raw, prev := fixRecord(t, 60000)
	rng := rand.New(rand.NewPCG(1, 2))
	for range 3 {
		damaged := bytes.Clone(raw)
		off := walRecordHeaderSize + rng.IntN(len(raw)-walRecordHeaderSize)
		damaged[off] ^= 0x40
		want := WALByteFix{Off: off, Was: damaged[off], Want: raw[off]}
		got := WALRecordFixes(damaged, 15, prev)
		if len(got) == 0 || !slices.ContainsFunc(got, func(f []WALByteFix) bool { return f[0] == want }) {
			t.Errorf("byte %d: found %v, want %v", off, got, want)
		}
	}
}

func TestWALPairFix(t *testing.T) {
	raw, prev := fixRecord(t, 40)
	rng := rand.New(rand.NewPCG(3, 4))
	for i := range 6 {
		damaged := bytes.Clone(raw)
		a, b := 24+rng.IntN(len(raw)-24), 4+rng.IntN(16)
		if bits := i%2 == 0; bits {
			damaged[a] ^= 1 << rng.IntN(8)
			damaged[b] ^= 1 << rng.IntN(8)
		} else {
			damaged[a] ^= byte(1+rng.IntN(85)) * 3
			damaged[b] ^= byte(1+rng.IntN(85)) * 3
		}
		if len(SearchWALByteFix(damaged)) > 0 {
			continue // one byte would do by chance: the pair is not looked for
		}
		want := [2]WALByteFix{{b, damaged[b], raw[b]}, {a, damaged[a], raw[a]}}
		if got := SearchWALPairFix(damaged); !slices.Contains(got, want) {
			t.Errorf("bytes %d and %d: %v is not among %d pairs", b, a, want, len(got))
		}
		got := WALRecordFixes(damaged, 15, prev)
		found := slices.ContainsFunc(got, func(f []WALByteFix) bool { return slices.Equal(f, want[:]) })
		if bits := want[0].oneBit() && want[1].oneBit(); found != bits {
			t.Errorf("bytes %d and %d: %v among the sound %v: %v", b, a, want, got, found)
		}
	}
}

func FuzzWALByteFix(f *testing.F) {
	raw, prev := fixRecord(f, 60)
	f.Add(raw, uint16(30), byte(1))
	f.Add([]byte{}, uint16(0), byte(0))
	f.Fuzz(func(t *testing.T, raw []byte, at uint16, delta byte) {
		if len(raw) > 2048 {
			return
		}
		for _, fix := range SearchWALByteFix(raw) {
			fixed := bytes.Clone(raw)
			fixed[fix.Off] = fix.Want
			if WALRecordCRC(fixed) != storedWALCRC(fixed) {
				t.Fatalf("%v does not make the checksum hold", fix)
			}
		}
		WALRecordFixes(raw[:min(len(raw), 100)], 15, prev)
	})
}

func BenchmarkWALByteFix(b *testing.B) {
	raw, _ := fixRecord(b, 8000)
	raw[4000] ^= 1
	b.SetBytes(int64(len(raw)))
	for b.Loop() {
		SearchWALByteFix(raw)
	}
}
