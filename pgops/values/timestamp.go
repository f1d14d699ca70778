package values

import (
	"encoding/binary"
	"math"
	"time"
)

// timestampOut prints a timestamp without time zone (timestamp_out, utils/adt/timestamp.c).
func timestampOut(dst []byte, t *Type, v []byte, _ *Env) ([]byte, error) {
	return appendTimestamp(dst, t, v, timestampStyle{separator: ' '})
}

// timestampJSON prints it as ISO 8601 in quotes (JsonEncodeDateTime, utils/adt/json.c).
func timestampJSON(dst []byte, t *Type, v []byte, _ *Env) ([]byte, error) {
	dst, err := appendTimestamp(append(dst, '"'), t, v, timestampStyle{separator: 'T'})
	return append(dst, '"'), err
}

// timestampTZOut prints a timestamp with time zone, in env's time zone (timestamptz_out,
// utils/adt/timestamp.c).
func timestampTZOut(dst []byte, t *Type, v []byte, env *Env) ([]byte, error) {
	return appendTimestamp(dst, t, v, timestampStyle{separator: ' ', zoned: true, location: env.Location})
}

// timestampTZJSON prints it as ISO 8601 in quotes (JsonEncodeDateTime, utils/adt/json.c).
func timestampTZJSON(dst []byte, t *Type, v []byte, env *Env) ([]byte, error) {
	dst, err := appendTimestamp(append(dst, '"'), t, v, timestampStyle{separator: 'T', zoned: true, location: env.Location})
	return append(dst, '"'), err
}

// timestampStyle is how a timestamp is to be printed.
type timestampStyle struct {
	separator byte           // between date and time
	zoned     bool           // with the distance from UTC
	location  *time.Location // of a zoned one; nil is UTC
}

// appendTimestamp prints microseconds from 2000-01-01 (EncodeDateTime with USE_ISO_DATES or
// USE_XSD_DATES, utils/adt/datetime.c).
func appendTimestamp(dst []byte, t *Type, v []byte, style timestampStyle) ([]byte, error) {
	if len(v) < 8 {
		return dst, shortValue(t, v, 8)
	}
	stamp := int64(binary.LittleEndian.Uint64(v))
	switch stamp {
	case math.MaxInt64: // DT_NOEND
		return append(dst, "infinity"...), nil
	case math.MinInt64: // DT_NOBEGIN
		return append(dst, "-infinity"...), nil
	}
	days, micros := floorDay(stamp)
	if days < -epochJDate {
		return dst, badValue(t, "%d microseconds from 2000-01-01, before 4714-11-24 BC", stamp)
	}
	east := 0
	if style.zoned && style.location != nil && style.location != time.UTC {
		const unixEpochDays = 10957 // from 1970-01-01 to 2000-01-01
		_, east = time.Unix((days+unixEpochDays)*86400+micros/microsPerSecond, 0).In(style.location).Zone()
		local := micros + int64(east)*microsPerSecond
		shift, rest := floorDay(local)
		days, micros = days+shift, rest
	}
	d := fromJulian(days + epochJDate)
	dst = d.append(dst)
	dst = append(dst, style.separator)
	dst = appendClock(dst, uint64(micros))
	if style.zoned {
		dst = appendZone(dst, east, style.separator == 'T')
	}
	return d.appendEra(dst), nil
}

// floorDay divides microseconds into whole days, rounded down, and the rest of the day.
func floorDay(micros int64) (days, rest int64) {
	days, rest = micros/microsPerDay, micros%microsPerDay
	if rest < 0 {
		days, rest = days-1, rest+microsPerDay
	}
	return days, rest
}
