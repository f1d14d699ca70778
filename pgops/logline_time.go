package pgops

import (
	"regexp"
	"time"
)

// stampPattern is a date and time as %t, %m, Docker and CRI write them, with an optional zone.
var stampPattern = regexp.MustCompile(`(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d:\d\d)(\.\d{1,9})?(Z| ?[+-]\d\d(?::?\d\d)?| [A-Z]{3,5}\b)?`)

// findTime reads the first usable time in a log prefix. Docker's own stamp comes first in a line
// and is UTC, so it wins over the server's, whose zone may be an abbreviation that means
// different things in different places. Such an abbreviation is read as UTC: the differences
// between lines, which is what the loop detection needs, stay right.
func findTime(prefix string) time.Time {
	m := stampPattern.FindStringSubmatch(prefix)
	if m == nil {
		return time.Time{}
	}
	t, err := time.Parse("2006-01-02 15:04:05", m[1]+" "+m[2]+m[3])
	if err != nil {
		return time.Time{}
	}
	return t.Add(-zoneOffset(m[4]))
}

// zoneOffset reads "+02", " -0330", "+05:30"; anything else is taken as UTC.
func zoneOffset(zone string) time.Duration {
	var digits []int
	sign := time.Duration(0)
	for _, c := range zone {
		switch {
		case c == '+':
			sign = 1
		case c == '-':
			sign = -1
		case c >= '0' && c <= '9':
			digits = append(digits, int(c-'0'))
		}
	}
	if sign == 0 || len(digits) < 2 {
		return 0
	}
	minutes := (digits[0]*10 + digits[1]) * 60
	if len(digits) == 4 {
		minutes += digits[2]*10 + digits[3]
	}
	return sign * time.Duration(minutes) * time.Minute
}
