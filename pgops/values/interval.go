package values

import (
	"encoding/binary"
	"math"
	"strconv"
)

const intervalSize = 16 // sizeof(Interval), datatype/timestamp.h

// firstMajorWithInfiniteInterval took the ends of all three fields for infinity.
const firstMajorWithInfiniteInterval = 17

// intervalParts are the fields of an interval (Interval, datatype/timestamp.h).
type intervalParts struct {
	micros int64
	days   int32
	months int32
}

// intervalOut prints an interval with IntervalStyle postgres (interval_out,
// utils/adt/timestamp.c; EncodeInterval, utils/adt/datetime.c).
func intervalOut(dst []byte, t *Type, v []byte, env *Env) ([]byte, error) {
	if len(v) < intervalSize {
		return dst, shortValue(t, v, intervalSize)
	}
	le := binary.LittleEndian
	i := intervalParts{micros: int64(le.Uint64(v)), days: int32(le.Uint32(v[8:])), months: int32(le.Uint32(v[12:]))}
	if env.Major == 0 || env.Major >= firstMajorWithInfiniteInterval {
		switch i {
		case intervalParts{math.MaxInt64, math.MaxInt32, math.MaxInt32}: // INTERVAL_NOEND
			return append(dst, "infinity"...), nil
		case intervalParts{math.MinInt64, math.MinInt32, math.MinInt32}: // INTERVAL_NOBEGIN
			return append(dst, "-infinity"...), nil
		}
	}
	return i.append(dst), nil
}

// append prints years, months, days and time, leaving out what is 0. After a negative part
// a positive one gets its sign.
func (i intervalParts) append(dst []byte) []byte {
	p := intervalPrinter{dst: dst}
	p.part(int64(i.months/12), " year")
	p.part(int64(i.months%12), " mon")
	p.part(int64(i.days), " day")
	if i.micros == 0 && p.parts > 0 {
		return p.dst
	}
	if p.parts > 0 {
		p.dst = append(p.dst, ' ')
	}
	micros := uint64(i.micros)
	if i.micros < 0 {
		micros = -micros
		p.dst = append(p.dst, '-')
	} else if p.negative {
		p.dst = append(p.dst, '+')
	}
	p.dst = appendPadded(p.dst, uint(micros/microsPerHour), 2)
	p.dst = append(p.dst, ':')
	p.dst = appendPadded(p.dst, uint(micros/microsPerMinute%60), 2)
	p.dst = append(p.dst, ':')
	p.dst = appendPadded(p.dst, uint(micros/microsPerSecond%60), 2)
	return appendMicros(p.dst, uint(micros%microsPerSecond))
}

// intervalPrinter keeps what the next part depends on (AddPostgresIntPart, utils/adt/datetime.c).
type intervalPrinter struct {
	dst      []byte
	parts    int
	negative bool // the last part printed was
}

func (p *intervalPrinter) part(n int64, unit string) {
	if n == 0 {
		return
	}
	if p.parts > 0 {
		p.dst = append(p.dst, ' ')
	}
	if p.negative && n > 0 {
		p.dst = append(p.dst, '+')
	}
	p.dst = append(strconv.AppendInt(p.dst, n, 10), unit...)
	if n != 1 {
		p.dst = append(p.dst, 's')
	}
	p.parts++
	p.negative = n < 0
}
