package pgops

import (
	"fmt"
	"strconv"
	"strings"
)

// ResetTool is what one pg_resetwal binary can do.
type ResetTool struct {
	Version   string // as printed, "15.18"; empty when unknown
	Major     int
	Minor     int
	OldestXID bool // has -u (minors from August 2021 on)
	Signed    bool // has --char-signedness (18 on)
	SegSize   bool // has --wal-segsize
}

// ParseResetTool reads the output of pg_resetwal --version and pg_resetwal --help, both with LC_ALL=C.
func ParseResetTool(version, help string) (ResetTool, error) {
	fields := strings.Fields(version)
	if len(fields) < 3 || fields[0] != "pg_resetwal" {
		return ResetTool{}, fmt.Errorf("pg_resetwal --version: want \"pg_resetwal (PostgreSQL) N.N\", found %q", strings.TrimSpace(version))
	}
	t := ResetTool{
		Version:   fields[2],
		OldestXID: strings.Contains(help, "--oldest-transaction-id"),
		Signed:    strings.Contains(help, "--char-signedness"),
		SegSize:   strings.Contains(help, "--wal-segsize"),
	}
	major, minor, _ := strings.Cut(t.Version, ".")
	var err error
	if t.Major, err = strconv.Atoi(leadingDigits(major)); err != nil {
		return ResetTool{}, fmt.Errorf("pg_resetwal --version: %q has no major number", t.Version)
	}
	t.Minor, _ = strconv.Atoi(leadingDigits(minor)) // a development version has none: 0
	return t, nil
}

func leadingDigits(s string) string {
	return s[:len(s)-len(strings.TrimLeft(s, "0123456789"))]
}

// TakesZeroMulti reports whether -m accepts 0 as the next multixact: from the minors of
// 12 February 2026 on, which 13 and 14 never got.
func (t ResetTool) TakesZeroMulti() bool {
	since := map[int]int{15: 16, 16: 12, 17: 8, 18: 2}
	first, ok := since[t.Major]
	return t.Major > 18 || ok && t.Minor >= first
}

// known reports whether the tool was looked at.
func (t ResetTool) known() bool { return t.Version != "" }
