package pgdisk

import (
	"fmt"
	"strconv"
	"strings"
)

// VersionFileName holds the major that a cluster belongs to, in the data directory and in
// the directory of each database.
const VersionFileName = "PG_VERSION"

// versionFileMax is far more than the file ever has.
const versionFileMax = 64

// ParseVersionFile reads a PG_VERSION file and returns the major: 15 for "15\n", 9 for
// "9.6\n". The server reads it as loosely (ValidatePgVersion, utils/init/miscinit.c), but
// pg_resetwal and this want it to hold nothing else.
func ParseVersionFile(b []byte) (int, error) {
	text := strings.TrimRight(string(b[:min(len(b), versionFileMax)]), "\r\n")
	major, minor, dotted := strings.Cut(text, ".")
	n, err := strconv.ParseUint(major, 10, 16)
	if err == nil && dotted {
		_, err = strconv.ParseUint(minor, 10, 16)
	}
	if err != nil || n == 0 || len(b) > versionFileMax {
		return 0, &FormatError{File: VersionFileName, Field: "version", Want: "a number such as 15", Got: fmt.Sprintf("%q", text)}
	}
	return int(n), nil
}
