package pgdisk

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// RecordField is one thing that a record's body says. Names are those that the newest
// pg_waldump prints, for all majors; where it prints a value without a name or none at all,
// they are PostgreSQL's names of the fields. Values are written as pg_waldump writes them.
type RecordField struct {
	Name  string
	Value string
}

// Fields says what the body of the record holds, in pg_waldump's order; bytes of tuples and
// pages are not in it. A record whose resource manager is decoded by name only has none. An
// error says that the body does not hold together; what was read up to there comes with it.
func (r *WALRecord) Fields() ([]RecordField, error) {
	w := walFieldWriter{r: r}
	w.run()
	return w.fields, w.err
}

// walFieldWriter collects the fields of one record, or writes them as text.
type walFieldWriter struct {
	r      *WALRecord
	fields []RecordField
	out    []byte // with asText: name: value, name: value
	asText bool
	spans  *[]recordSpan // with asText: where the fields lie, with nothing between them in out
	count  int           // fields in out
	err    error
}

// run writes the fields and says in err if the body does not hold together.
func (w *walFieldWriter) run() {
	if ok := w.record(); w.err == nil && !ok {
		w.err = &FormatError{File: "WAL record", Field: w.r.String(), Want: "parts that fit into the record", Got: fmt.Sprintf("%d bytes", len(w.r.MainData))}
	}
}

// record writes the fields; false means that the body does not fit its class.
func (w *walFieldWriter) record() bool {
	if w.r.Rmid <= rmgrMaxBuiltin && strings.HasPrefix(w.r.Class(), "UNKNOWN") {
		return true // a class that this major does not have: nothing is known of its body
	}
	switch w.r.Rmid {
	case RmgrXLOG:
		return w.xlog()
	case RmgrTransaction:
		return w.xact()
	case RmgrStorage:
		return w.storage()
	case RmgrCLOG, RmgrCommitTs:
		return w.slru()
	case RmgrMultiXact:
		return w.multi()
	case RmgrDatabase, RmgrTablespace:
		return w.database()
	case RmgrRelMap, RmgrSequence:
		return w.mapOrSequence()
	case RmgrStandby:
		return w.standby()
	case RmgrHeap:
		return w.heap()
	case RmgrHeap2:
		return w.heap2()
	case RmgrBtree:
		return w.btree()
	case RmgrHash, RmgrGin, RmgrGist, RmgrSPGist, RmgrBRIN:
		return w.index()
	case RmgrReplicationOrigin, RmgrLogicalMessage:
		return w.message()
	}
	return true // Generic and custom managers
}

func (w *walFieldWriter) text(name, value string) {
	if w.asText {
		w.name(name)
		w.out = append(w.out, value...)
		return
	}
	w.fields = append(w.fields, RecordField{name, value})
}

// name begins a field of the text.
func (w *walFieldWriter) name(name string) {
	if w.spans != nil {
		*w.spans = append(*w.spans, recordSpan{name, len(w.out)})
		return
	}
	if w.count++; w.count > 1 {
		w.out = append(w.out, ", "...)
	}
	if name != "" {
		w.out = append(append(w.out, name...), ": "...)
	}
}

func (w *walFieldWriter) uint(name string, v uint64) {
	if w.asText {
		w.name(name)
		w.out = strconv.AppendUint(w.out, v, 10)
		return
	}
	w.text(name, strconv.FormatUint(v, 10))
}

func (w *walFieldWriter) hex8(name string, v uint8) {
	const digits = "0123456789ABCDEF"
	value := [4]byte{'0', 'x', digits[v>>4], digits[v&15]}
	if w.asText {
		w.name(name)
		w.out = append(w.out, value[:]...)
		return
	}
	w.text(name, string(value[:]))
}

// letter writes a truth value as T or F.
func (w *walFieldWriter) letter(name string, v bool) {
	if v {
		w.text(name, "T")
	} else {
		w.text(name, "F")
	}
}

func (w *walFieldWriter) word(name string, v bool) { w.text(name, strconv.FormatBool(v)) }

func (w *walFieldWriter) onOff(name string, v bool) {
	if v {
		w.text(name, "on")
	} else {
		w.text(name, "off")
	}
}

func (w *walFieldWriter) time(name string, t time.Time) {
	if w.asText {
		w.name(name)
		w.out = t.UTC().AppendFormat(w.out, walTimeLayout)
		return
	}
	w.text(name, walTimeText(t))
}

const walTimeLayout = "2006-01-02 15:04:05.000000 MST"

// walTimeText writes a time as timestamptz_to_str does in UTC.
func walTimeText(t time.Time) string { return t.UTC().Format(walTimeLayout) }

// list writes n items joined by sep.
func (w *walFieldWriter) list(name, open, sep, end string, n int, item func(i int) string) {
	var b strings.Builder
	b.WriteString(open)
	for i := range n {
		if i > 0 {
			b.WriteString(sep)
		}
		b.WriteString(item(i))
	}
	b.WriteString(end)
	w.text(name, b.String())
}

// offsets writes line pointers as array_desc does: [1, 2].
func (w *walFieldWriter) offsets(name string, o WALOffsets) {
	w.list(name, "[", ", ", "]", o.Len(), func(i int) string { return strconv.Itoa(int(o.At(i))) })
}

// xids writes ids with spaces between.
func (w *walFieldWriter) xids(name string, x WALXIDs) {
	w.list(name, "", " ", "", x.Len(), func(i int) string { return strconv.FormatUint(uint64(x.At(i)), 10) })
}

// infobits writes words as infobits_desc does: [LOCK_ONLY, EXCL_LOCK].
func (w *walFieldWriter) infobits(name string, b WALInfobits) {
	if b == 0 {
		w.text(name, "[]")
		return
	}
	w.text(name, "["+strings.Join(b.Words(), ", ")+"]")
}

func (w *walFieldWriter) invalidations(database, tablespace OID, relcacheFile bool, l WALInvalidations) {
	if relcacheFile {
		w.text("relcache init file inval", fmt.Sprintf("dbid %d tsid %d", database, tablespace))
	}
	if l.Len() > 0 {
		w.list("inval msgs", "", " ", "", l.Len(), func(i int) string { return l.At(i).String() })
	}
}
