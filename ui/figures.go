package ui

import (
	"fmt"
	"strconv"
	"time"

	"github.com/pgrescue/pgrescue/steps/engine"
)

// humanBytes writes a byte count as people do in SI units: "371 MB".
func humanBytes(n int64) string {
	const units = "kMGTPE"
	if n < 1000 {
		return strconv.FormatInt(n, 10) + " B"
	}
	value, i := float64(n)/1000, 0
	for value >= 999.5 && i < len(units)-1 {
		value, i = value/1000, i+1
	}
	if value < 9.95 {
		return fmt.Sprintf("%.1f %cB", value, units[i])
	}
	return fmt.Sprintf("%.0f %cB", value, units[i])
}

// quantity writes a figure of progress in its unit.
func quantity(n int64, unit string) string {
	if unit == "bytes" {
		return humanBytes(n)
	}
	return grouped(n)
}

// grouped separates thousands by a space: "94 815".
func grouped(n int64) string {
	s := strconv.FormatInt(n, 10)
	sign := ""
	if n < 0 {
		sign, s = "-", s[1:]
	}
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + " " + s[i:]
	}
	return sign + s
}

// clock writes a duration as h:mm:ss, or m:ss below an hour.
func clock(d time.Duration) string {
	s := int64(max(0, d) / time.Second)
	if s >= 3600 {
		return fmt.Sprintf("%d:%02d:%02d", s/3600, s/60%60, s%60)
	}
	return fmt.Sprintf("%d:%02d", s/60, s%60)
}

// millis writes how long a command took: "0.4s", "12s", "3:07".
func millis(ms int64) string {
	switch {
	case ms < 10_000:
		return fmt.Sprintf("%.1fs", float64(ms)/1000)
	case ms < 60_000:
		return fmt.Sprintf("%ds", ms/1000)
	}
	return clock(time.Duration(ms) * time.Millisecond)
}

// quietAfter is when silence of a running step is worth a word.
const quietAfter = 10 * time.Second

// pace is what a progress says of speed and time left.
type pace struct {
	Percent string // "33%", empty where the total is not known
	Rate    string // "210 MB/s", empty in the first second
	Left    string // "left 0:41", or "estimating"
	Quiet   string // "no output for 42 s", empty while there is some
}

func paceOf(p engine.Progress, now time.Time) pace {
	var out pace
	elapsed := p.At.Sub(p.Since)
	if p.Total > 0 {
		out.Percent = fmt.Sprintf("%d%%", min(100, max(0, p.Done)*100/p.Total))
	}
	rate := 0.0
	if elapsed >= time.Second && p.Done > 0 {
		rate = float64(p.Done) / elapsed.Seconds()
		out.Rate = quantity(int64(rate), p.Unit) + "/s"
		if p.Unit != "bytes" && rate < 10 {
			out.Rate = fmt.Sprintf("%.1f/s", rate)
		}
	}
	if p.Total > p.Done {
		switch sure := elapsed >= 10*time.Second || p.Done*20 >= p.Total; {
		case rate > 0 && sure:
			out.Left = "left " + clock(time.Duration(float64(p.Total-p.Done)/rate*float64(time.Second)))
		default:
			out.Left = "estimating"
		}
	}
	if quiet := now.Sub(p.At); !p.At.IsZero() && quiet >= quietAfter {
		out.Quiet = fmt.Sprintf("no output for %d s", int64(quiet/time.Second))
	}
	return out
}

// amount is "124 MB of 371 MB", or "124 MB" where the total is not known.
func amount(p engine.Progress) string {
	s := quantity(p.Done, p.Unit)
	if p.Total > 0 {
		s += " of " + quantity(p.Total, p.Unit)
	}
	if p.Unit != "bytes" && p.Unit != "" {
		s += " " + cleanLine(p.Unit)
	}
	return s
}

// shortDigest is enough of a digest to compare by eye.
func shortDigest(d string) string {
	if len(d) > 12 {
		return d[:12]
	}
	return d
}
