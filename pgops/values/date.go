package values

import (
	"encoding/binary"
	"math"
)

// epochJDate is the Julian day of 2000-01-01, day 0 of dates and timestamps
// (POSTGRES_EPOCH_JDATE, datatype/timestamp.h).
const epochJDate = 2451545

// calendarDate is a day of the Gregorian calendar; year 0 is 1 BC.
type calendarDate struct {
	year       int
	month, day uint
}

// fromJulian turns a Julian day, not negative, into a date (j2date, utils/adt/datetime.c).
// The days are counted in years that start on 1 March, whose lengths repeat every 400 years.
func fromJulian(jd int64) calendarDate {
	const (
		daysTo0000March = 1721120 // Julian day of 0000-03-01
		daysIn400Years  = 146097
		erasBefore      = 20 // more than the 4714 years before year 1 take
	)
	days := jd - daysTo0000March + erasBefore*daysIn400Years
	era, day := days/daysIn400Years, days%daysIn400Years
	yearOfEra := (day - day/1460 + day/36524 - day/146096) / 365
	dayOfYear := day - (365*yearOfEra + yearOfEra/4 - yearOfEra/100)
	month := (5*dayOfYear + 2) / 153 // from March, 0
	d := calendarDate{
		year:  int((era-erasBefore)*400 + yearOfEra),
		month: uint(month + 3),
		day:   uint(dayOfYear - (153*month+2)/5 + 1),
	}
	if d.month > 12 {
		d.month -= 12
		d.year++
	}
	return d
}

// append prints year, month and day; the year without its era, which suffix gives
// (EncodeDateOnly with USE_ISO_DATES, utils/adt/datetime.c).
func (d calendarDate) append(dst []byte) []byte {
	year := d.year
	if year <= 0 {
		year = 1 - year
	}
	dst = appendPadded(dst, uint(year), 4)
	dst = append(dst, '-')
	dst = appendPadded(dst, d.month, 2)
	dst = append(dst, '-')
	return appendPadded(dst, d.day, 2)
}

// appendEra prints BC at the end of a date or timestamp of before year 1.
func (d calendarDate) appendEra(dst []byte) []byte {
	if d.year <= 0 {
		return append(dst, " BC"...)
	}
	return dst
}

// dateOut prints a date (date_out, utils/adt/date.c). Its JSON is the same in quotes.
func dateOut(dst []byte, t *Type, v []byte, _ *Env) ([]byte, error) {
	if len(v) < 4 {
		return dst, shortValue(t, v, 4)
	}
	days := int32(binary.LittleEndian.Uint32(v))
	switch days {
	case math.MaxInt32: // DATEVAL_NOEND
		return append(dst, "infinity"...), nil
	case math.MinInt32: // DATEVAL_NOBEGIN
		return append(dst, "-infinity"...), nil
	}
	jd := int64(days) + epochJDate
	if jd < 0 || jd > math.MaxInt32 {
		return dst, badValue(t, "day %d from 2000-01-01, outside of what a date can be", days)
	}
	d := fromJulian(jd)
	return d.appendEra(d.append(dst)), nil
}
