package values

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
)

func timeSamples(r *rand.Rand, major int) []sample {
	dates := []string{"infinity", "-infinity", "2000-01-01", "1999-12-31", "2000-02-29", "1900-03-01", "4713-01-01 BC", "4714-11-24 BC", "0001-01-01", "0001-12-31 BC", "0005-02-29 BC",
		"5874897-12-31", "10000-01-01", "9999-12-31", "1582-10-15", "0100-03-01"}
	stamps := []string{"infinity", "-infinity", "2000-01-01", "1999-12-31 23:59:59.999999", "4714-11-24 00:00:00 BC", "294276-12-31 23:59:59.999999", "0001-01-01 00:00:00.000001", "0001-12-31 23:59:59.5 BC",
		"10000-01-01 12:00:00", "2024-02-29 12:34:56.789", "1970-01-01", "1883-11-18 12:00:00", "1900-01-01", "2021-03-14 02:30:00", "2021-11-07 01:30:00"}
	zoned := []string{"infinity", "-infinity", "2000-01-01 00:00:00+00", "1850-01-01 00:00:00+00", "0001-01-01 00:00:00+00", "4714-11-24 12:00:00+00 BC", "294276-12-30 00:00:00+00", "2500-07-01 00:00:00+00",
		"1937-06-30 23:59:59.5+00", "2021-03-28 00:59:59+00", "2021-03-28 01:00:00+00", "2011-12-30 09:59:59+00"}
	intervals := []string{"0", "1 year", "-1 year", "1 mon", "-1 mon", "1 day", "-1 day", "1 sec", "-1 sec", "1 year -1 mon", "-1 year 1 day", "-1 day 00:00:01", "1 day -00:00:01", "-00:00:00.000001", "-1 mon +1 day -1 sec",
		"178956970 years 7 mons", "-178956970 years -8 mons", "2147483647 days", "-2147483648 days", "100:00:00", "1000000:59:59.999999", "11 mons -2 years +12:00", "-1 year -2 mons +3 days -04:05:06.7"}
	if major >= 15 {
		intervals = append(intervals, "2562047788:00:54.775807", "-2562047788:00:54.775807", "178956970 years 7 mons 2147483647 days 2562047788:00:54.775806")
	}
	if major >= 17 {
		intervals = append(intervals, "infinity", "-infinity")
	}
	times := []string{"00:00:00", "24:00:00", "23:59:59.999999", "12:00:00.1", "01:02:03.000010"}
	clock := func() string {
		return fmt.Sprintf("%02d:%02d:%02d.%06d", r.IntN(24), r.IntN(60), r.IntN(60), r.IntN(1e6)/int(math.Pow10(r.IntN(6)))*int(math.Pow10(r.IntN(2))))[:8+r.IntN(8)]
	}
	clock = cleanClock(clock)
	date := func() string {
		year, era := 1+r.IntN(9999)>>r.IntN(3), ""
		switch r.IntN(8) {
		case 0:
			year, era = 1+r.IntN(4712), " BC"
		case 1:
			year = 1 + r.IntN(294000)
		}
		return fmt.Sprintf("%04d-%02d-%02d%s", year, 1+r.IntN(12), 1+r.IntN(28), era)
	}
	stamp := func(zone string) func() string {
		return func() string {
			d, bc := strings.CutSuffix(date(), " BC")
			s := d + " " + clock() + zone
			if bc {
				s += " BC"
			}
			return s
		}
	}
	part := func(n int) int { return (r.IntN(2*n+1) - n) * r.IntN(2) }
	return []sample{
		{name: "date", typ: "date", values: random(dates, samplesOfEach, date)},
		{name: "time", typ: "time", values: random(times, 500, clock)},
		{name: "timetz", typ: "timetz", values: random([]string{"00:00:00+00", "24:00:00-15:59:59", "12:00:00+15:59:59", "01:00:00+05:30", "01:00:00-00:00:01", "01:00:00-03:30"}, 500,
			func() string {
				return fmt.Sprintf("%s%c%02d:%02d", clock(), "+-"[r.IntN(2)], r.IntN(15), r.IntN(60)*r.IntN(2))
			})},
		{name: "timestamp", typ: "timestamp", values: random(stamps, samplesOfEach, stamp(""))},
		{name: "timestamptz", typ: "timestamptz", values: random(zoned, samplesOfEach, stamp("+00")),
			tz: []string{"UTC", "Europe/Berlin", "Asia/Kolkata", "America/St_Johns", "Europe/Paris", "Pacific/Apia", "Africa/Monrovia", "Australia/Lord_Howe", "Etc/GMT+12"}},
		{name: "interval", typ: "interval", values: random(intervals, samplesOfEach, func() string {
			return fmt.Sprintf("%d years %d mons %d days %d hours %d mins %d.%06d secs", part(300), part(20), part(100), part(50), part(100), part(100), r.IntN(1e6)*r.IntN(2))
		})},
	}
}

// cleanClock drops a point at the end.
func cleanClock(clock func() string) func() string {
	return func() string { return strings.TrimSuffix(clock(), ".") }
}
