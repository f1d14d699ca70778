package values

import (
	"encoding/binary"
	"strconv"
)

// Items of a tsquery (QueryItem, tsearch/ts_type.h).
const (
	queryItem     = 12 // sizeof(QueryItem)
	queryStart    = 4  // after the number of items
	queryOperand  = 1  // QI_VAL
	queryOperator = 2  // QI_OPR
)

// Operators of a tsquery (tsearch/ts_type.h).
const (
	queryNot    = 1 // OP_NOT
	queryAnd    = 2 // OP_AND
	queryOr     = 3 // OP_OR
	queryPhrase = 4 // OP_PHRASE
)

// tsquery is a tsquery taken apart. The items are a tree in Polish notation: after an
// operator comes its right operand, then its left one.
type tsquery struct {
	items []byte
	words []byte
	ends  []int32 // of each item the index after its operands
}

// tsqueryOut prints a tsquery with its operators between their operands (tsqueryout,
// utils/adt/tsquery.c).
func tsqueryOut(dst []byte, t *Type, v []byte, _ *Env) ([]byte, error) {
	if len(v) < queryStart {
		return dst, shortValue(t, v, queryStart)
	}
	n := int(int32(binary.LittleEndian.Uint32(v)))
	if n < 0 || n > (len(v)-queryStart)/queryItem {
		return dst, badValue(t, "%d items in %d bytes", n, len(v))
	}
	if n == 0 {
		return dst, nil
	}
	split := queryStart + n*queryItem
	q := &tsquery{items: v[queryStart:split], words: v[split:], ends: make([]int32, n)}
	if why := q.measure(); why != "" {
		return dst, badValue(t, "%s", why)
	}
	dst, why := q.appendItem(dst, 0, -1, false, 0)
	if why != "" {
		return dst, badValue(t, "%s", why)
	}
	return dst, nil
}

// measure fills ends, from the last item on, and says what does not fit.
func (q *tsquery) measure() string {
	n := int32(len(q.ends))
	for i := n - 1; i >= 0; i-- {
		end := i + 1
		switch item := q.item(i); {
		case item[0] == queryOperand:
		case item[0] != queryOperator || item[1] < queryNot || item[1] > queryPhrase:
			return "an item of kind " + strconv.Itoa(int(item[0])) + ", operator " + strconv.Itoa(int(item[1]))
		default:
			for operands := operandsOf(item[1]); operands > 0; operands-- {
				if end >= n {
					return "an operator without operands"
				}
				end = q.ends[end]
			}
		}
		q.ends[i] = end
	}
	return ""
}

func (q *tsquery) item(i int32) []byte { return q.items[i*queryItem : (i+1)*queryItem] }

func operandsOf(operator byte) int {
	if operator == queryNot {
		return 1
	}
	return 2
}

// queryPriority says how tight an operator binds (tsearch_op_priority, utils/adt/tsquery.c).
func queryPriority(operator byte) int {
	switch operator {
	case queryNot:
		return 4
	case queryPhrase:
		return 3
	case queryAnd:
		return 2
	}
	return 1
}

// appendItem prints item i, an operand of an operator of the given priority, and says what
// was wrong with it. A phrase that is the right operand of a phrase gets parentheses.
func (q *tsquery) appendItem(dst []byte, i int32, parent int, rightOfPhrase bool, depth int) ([]byte, string) {
	if depth > maxNesting {
		return dst, "too many operators within each other"
	}
	item := q.item(i)
	if item[0] == queryOperand {
		return q.appendOperand(dst, item)
	}
	operator := item[1]
	priority := queryPriority(operator)
	paren := priority < parent || operator == queryPhrase && rightOfPhrase
	if paren {
		dst = append(dst, "( "...)
	}
	var why string
	if operator == queryNot {
		dst = append(dst, '!')
		dst, why = q.appendItem(dst, i+1, priority, false, depth+1)
	} else {
		dst, why = q.appendItem(dst, q.ends[i+1], priority, false, depth+1)
		if why != "" {
			return dst, why
		}
		dst = appendQueryOperator(dst, item)
		dst, why = q.appendItem(dst, i+1, priority, operator == queryPhrase, depth+1)
	}
	if paren {
		dst = append(dst, " )"...)
	}
	return dst, why
}

// appendQueryOperator prints an operator of two operands.
func appendQueryOperator(dst, item []byte) []byte {
	switch item[1] {
	case queryAnd:
		return append(dst, " & "...)
	case queryOr:
		return append(dst, " | "...)
	}
	distance := int16(binary.LittleEndian.Uint16(item[2:]))
	if distance == 1 {
		return append(dst, " <-> "...)
	}
	dst = append(dst, " <"...)
	dst = strconv.AppendInt(dst, int64(distance), 10)
	return append(dst, "> "...)
}

// appendOperand prints a lexeme with what restricts it (QueryOperand): a prefix, weights.
func (q *tsquery) appendOperand(dst, item []byte) ([]byte, string) {
	where := binary.LittleEndian.Uint32(item[8:])
	length, start := int(where&0xFFF), int(where>>12)
	if start+length > len(q.words) {
		return dst, "a lexeme lies after its end"
	}
	dst = appendLexeme(dst, q.words[start:start+length])
	weight, prefix := item[1], item[2]
	if weight == 0 && prefix == 0 {
		return dst, ""
	}
	dst = append(dst, ':')
	if prefix != 0 {
		dst = append(dst, '*')
	}
	for i, c := range []byte("ABCD") {
		if weight&(8>>i) != 0 {
			dst = append(dst, c)
		}
	}
	return dst, ""
}
