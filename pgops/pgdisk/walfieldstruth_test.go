package pgdisk

import (
	"fmt"
	"strings"
)

// diffFields puts the fields of a record into the words that pg_waldump of the record's
// major uses, and says whether that is what it printed, to the last byte.
func (l *walTruthLine) diffFields(rec *WALRecord) string {
	fields, err := rec.Fields()
	if err != nil {
		return fmt.Sprintf("%s: %v; pg_waldump says %q", rec, err, l.desc)
	}
	template, ok := walDescTemplate(rec)
	if !ok && !walNotCompared(rec) {
		return fmt.Sprintf("%s is neither compared nor listed as not compared", rec)
	}
	if !ok {
		return ""
	}
	printed, _, _ := strings.Cut(l.desc, ", blkref #")
	got := fillWALTemplate(template, fields)
	if start, cut := strings.CutSuffix(got, " ..."); cut {
		printed = printed[:min(len(start), len(printed))] // of a long message only the start is told
		got = start
	}
	if got != printed {
		return fmt.Sprintf("%s reads %q, pg_waldump says %q", rec, got, printed)
	}
	return ""
}

// fillWALTemplate replaces {name} by the value of that field. A part in double brackets is
// left out when a field in it is missing. Before a name may stand a sign that says how a list
// is written: ! its words each with a space behind, ~ the same in lower case, ^ with a space
// before, # how many words it has, ? nothing; @ and & write the name if
// true, with non- or non before it if not; = writes it in brackets if it is T; % writes []
// for a missing list.
func fillWALTemplate(template string, fields []RecordField) string {
	var out strings.Builder
	for rest := template; rest != ""; {
		before, tail, optional := strings.Cut(rest, "[[")
		text, _ := fillWALPart(before, fields)
		out.WriteString(text)
		if !optional {
			break
		}
		part, tail, _ := strings.Cut(tail, "]]")
		if text, complete := fillWALPart(part, fields); complete {
			out.WriteString(text)
		}
		rest = tail
	}
	return out.String()
}

func fillWALPart(part string, fields []RecordField) (text string, complete bool) {
	complete = true
	var out strings.Builder
	for {
		before, tail, more := strings.Cut(part, "{")
		out.WriteString(before)
		if !more {
			return out.String(), complete
		}
		var name string
		name, part, _ = strings.Cut(tail, "}")
		sign := byte(0)
		if strings.ContainsAny(name[:1], "!~^#?@&=%") {
			sign, name = name[0], name[1:]
		}
		value, ok := walFieldValue(fields, name)
		if sign == '%' && !ok {
			value, ok = "[]", true
		}
		complete = complete && ok
		switch {
		case (sign == '@' || sign == '&') && value == "true":
			value = name
		case sign == '@':
			value = "non-" + name
		case sign == '&':
			value = "non" + name
		case sign == '=' && value == "T":
			value = " (" + name + ")"
		case sign == '=':
			value = ""
		}
		out.WriteString(shapeWALValue(sign, value))
	}
}

func walFieldValue(fields []RecordField, name string) (string, bool) {
	for _, f := range fields {
		if f.Name == name {
			return f.Value, true
		}
	}
	return "(no field " + name + ")", false
}

func shapeWALValue(sign byte, value string) string {
	words := strings.FieldsFunc(value, func(r rune) bool { return strings.ContainsRune("[], ", r) })
	var out strings.Builder
	for _, word := range words {
		switch sign {
		case '!':
			out.WriteString(word + " ")
		case '~':
			out.WriteString(strings.ToLower(word) + " ")
		case '^':
			out.WriteString(" " + word)
		}
	}
	switch sign {
	case 0, '@', '&', '=', '%':
		return value
	case '#':
		return fmt.Sprint(len(words))
	}
	return out.String()
}

// walNotCompared lists the classes whose fields are not held against what pg_waldump prints:
// parts of posting lists, which are not decoded, and what 13 says of SP-GiST in other words.
func walNotCompared(rec *WALRecord) bool {
	switch rec.String() {
	case "Gin/INSERT", "Gin/VACUUM_DATA_LEAF_PAGE", "Gist/DELETE", "Hash/VACUUM_ONE_PAGE":
		return true
	}
	return rec.Rmid == RmgrSPGist && rec.Major == 13
}

// walDescTemplate gives the template of a class, false for one that is not compared.
func walDescTemplate(rec *WALRecord) (string, bool) {
	class := strings.TrimSuffix(rec.Class(), "+INIT")
	if b := rec.Block(0); rec.Major >= 16 && class == "MULTI_INSERT" && (b == nil || len(b.Data) == 0) {
		return "ntuples: {ntuples}, flags: {flags}", true // with an image it does not print the offsets
	}
	if b := rec.Block(0); rec.Major == 16 && class == "PRUNE" && (b == nil || len(b.Data) == 0) {
		return "snapshotConflictHorizon: {snapshotConflictHorizon}, nredirected: {nredirected}, ndead: {ndead}", true
	}
	tables := []map[string]string{walDescAlways()}
	switch {
	case rec.Major == 16:
		tables = append(tables, walDescOnly16(), walDesc14(), walDesc16())
	case rec.Major >= 16:
		tables = append(tables, walDesc14(), walDesc16())
	case rec.Major >= 14:
		tables = append(tables, walDesc14(), walDescTo15(), walDesc14To15())
	default:
		tables = append(tables, walDescTo15(), walDesc13())
	}
	for _, table := range tables {
		if t, ok := table[rec.Rmid.String()+"/"+class]; ok {
			return t, true
		}
	}
	return "", false
}
