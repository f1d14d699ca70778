package pgdisk

import (
	"errors"
	"hash/crc32"
	"strings"
	"testing"
	"time"
)

func crcOf(b []byte) uint32 { return crc32.Checksum(b, crc32.MakeTable(crc32.Castagnoli)) }

func TestParseVersionFile(t *testing.T) {
	for text, want := range map[string]int{"15\n": 15, "13": 13, "18\r\n": 18, "9.6\n": 9, "12\n": 12} {
		if got, err := ParseVersionFile([]byte(text)); err != nil || got != want {
			t.Errorf("%q: got %d, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "\n", "x", "15x\n", "-15", "0", "15 \n", "15\n16\n", "9.x", "99999999", "15" + strings.Repeat("\n", 100)} {
		var format *FormatError
		if got, err := ParseVersionFile([]byte(text)); !errors.As(err, &format) {
			t.Errorf("%q: got %d, %v", text, got, err)
		}
	}
}

func FuzzParseVersionFile(f *testing.F) {
	f.Add([]byte("15\n"))
	f.Add([]byte("9.6"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if n, err := ParseVersionFile(b); (err == nil) != (n > 0) || n > 65535 {
			t.Fatalf("got %d, %v", n, err)
		}
	})
}

func TestParsePIDFile(t *testing.T) {
	got, err := ParsePIDFile([]byte("1\n/var/lib/postgresql/data\n1700000000\n5432\n/var/run/postgresql\n*\n    95123         0\nready   \n"))
	want := PIDFile{PID: 1, DataDir: "/var/lib/postgresql/data", Started: time.Unix(1700000000, 0).UTC(), Port: 5432,
		SocketDir: "/var/run/postgresql", Listen: "*", ShmemKey: 95123, Status: "ready"}
	if err != nil || *got != want {
		t.Errorf("got %+v, %v", got, err)
	}
	got, err = ParsePIDFile([]byte("-4711\n/data\n1700000000\n5432\n\n\n"))
	if err != nil || got.PID != 4711 || !got.Standalone || got.DataDir != "/data" || got.Status != "" {
		t.Errorf("single-user: got %+v, %v", got, err)
	}
	if got, err = ParsePIDFile([]byte("77")); err != nil || got.PID != 77 || !got.Started.IsZero() {
		t.Errorf("first write only: got %+v, %v", got, err)
	}
	for _, text := range []string{"", "\n1\n", "x", "0\n", "99999999999\n", "-2147483649"} {
		var format *FormatError
		if got, err := ParsePIDFile([]byte(text)); !errors.As(err, &format) {
			t.Errorf("%q: got %+v, %v", text, got, err)
		}
	}
}

func FuzzParsePIDFile(f *testing.F) {
	f.Add([]byte("1\n/d\n1700000000\n5432\n/s\n*\n 1 2\nready   \n"))
	f.Add([]byte("-2147483648\n\n-9223372036854775808\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if got, err := ParsePIDFile(b); (err == nil) != (got != nil) || got != nil && got.PID <= 0 {
			t.Fatalf("got %+v, %v", got, err)
		}
	})
}
