package values

import "encoding/binary"

// Units of time in microseconds (datatype/timestamp.h).
const (
	microsPerSecond = 1_000_000            // USECS_PER_SEC
	microsPerMinute = 60 * microsPerSecond // USECS_PER_MINUTE
	microsPerHour   = 60 * microsPerMinute // USECS_PER_HOUR
	microsPerDay    = 24 * microsPerHour   // USECS_PER_DAY
	maxZoneSeconds  = 16*3600 - 1          // TZDISP_LIMIT, less the first that is too far
	timeTZSize      = 12                   // sizeof TimeTzADT without padding
)

// timeOut prints a time of day, up to 24:00:00 (time_out, utils/adt/date.c).
func timeOut(dst []byte, t *Type, v []byte, _ *Env) ([]byte, error) {
	if len(v) < 8 {
		return dst, shortValue(t, v, 8)
	}
	micros := int64(binary.LittleEndian.Uint64(v))
	if micros < 0 || micros > microsPerDay {
		return dst, badValue(t, "%d microseconds, outside of a day", micros)
	}
	return appendClock(dst, uint64(micros)), nil
}

// timeTZOut prints a time of day with its own distance from UTC, which is stored in seconds
// west of Greenwich (timetz_out, utils/adt/date.c).
func timeTZOut(dst []byte, t *Type, v []byte, _ *Env) ([]byte, error) {
	if len(v) < timeTZSize {
		return dst, shortValue(t, v, timeTZSize)
	}
	zone := int32(binary.LittleEndian.Uint32(v[8:]))
	if zone > maxZoneSeconds || zone < -maxZoneSeconds {
		return dst, badValue(t, "%d seconds from UTC, more than a time zone can be", zone)
	}
	dst, err := timeOut(dst, t, v, nil)
	if err != nil {
		return dst, err
	}
	return appendZone(dst, -int(zone), false), nil
}

// appendClock prints microseconds of a day (EncodeTimeOnly, utils/adt/datetime.c).
func appendClock(dst []byte, micros uint64) []byte {
	seconds := uint(micros / microsPerSecond)
	hours, rest := seconds/3600, seconds%3600
	minutes, seconds := rest/60, rest%60
	dst = append(dst, byte('0'+hours/10), byte('0'+hours%10), ':',
		byte('0'+minutes/10), byte('0'+minutes%10), ':', byte('0'+seconds/10), byte('0'+seconds%10))
	return appendMicros(dst, uint(micros%microsPerSecond))
}

// appendZone prints a distance from UTC in seconds east of Greenwich, with minutes and
// seconds where there are any (EncodeTimezone, utils/adt/datetime.c). ISO 8601 as JSON has
// it always wants minutes.
func appendZone(dst []byte, east int, minutesToo bool) []byte {
	sign := byte('+')
	if east < 0 {
		sign, east = '-', -east
	}
	dst = append(dst, sign)
	dst = appendPadded(dst, uint(east/3600), 2)
	minutes, seconds := uint(east/60%60), uint(east%60)
	if minutes != 0 || seconds != 0 || minutesToo {
		dst = append(dst, ':')
		dst = appendPadded(dst, minutes, 2)
	}
	if seconds != 0 {
		dst = append(dst, ':')
		dst = appendPadded(dst, seconds, 2)
	}
	return dst
}
