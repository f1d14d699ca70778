package values

import "bytes"

// xmlOut prints XML without the encoding in its declaration, and without the declaration if
// that then says nothing (xml_out, utils/adt/xml.c). A declaration that is none stays.
func xmlOut(dst []byte, t *Type, v []byte, env *Env) ([]byte, error) {
	d, rest, ok := cutXMLDeclaration(v)
	if !ok {
		return textOut(dst, t, v, env)
	}
	start := len(dst)
	dst = d.append(dst)
	if len(dst) == start {
		rest, _ = bytes.CutPrefix(rest, []byte("\n")) // lest the text starts with an empty line
	}
	return textOut(dst, t, rest, env)
}

// xmlDeclaration is the start of an XML document: <?xml version="1.0" ... ?>.
type xmlDeclaration struct {
	version    []byte // nil without a declaration
	standalone string // yes, no or nothing
}

// append prints what is not a matter of course (print_xml_decl, utils/adt/xml.c).
func (d xmlDeclaration) append(dst []byte) []byte {
	const usual = "1.0" // PG_XML_DEFAULT_VERSION
	if d.standalone == "" && (d.version == nil || string(d.version) == usual) {
		return dst
	}
	dst = append(dst, `<?xml version="`...)
	dst = append(dst, d.version...)
	dst = append(dst, '"')
	if d.standalone != "" {
		dst = append(dst, ` standalone="`...)
		dst = append(dst, d.standalone...)
		dst = append(dst, '"')
	}
	return append(dst, "?>"...)
}

// cutXMLDeclaration splits XML after its declaration, of which it need not have one; false
// if there is one that PostgreSQL does not understand (parse_xml_decl, utils/adt/xml.c).
func cutXMLDeclaration(v []byte) (d xmlDeclaration, rest []byte, ok bool) {
	s, ok := bytes.CutPrefix(v, []byte("<?xml"))
	if !ok {
		return d, v, true
	}
	if d.version, s, ok = cutXMLProperty(s, "version"); !ok {
		return d, v, false
	}
	if _, after, ok := cutXMLProperty(s, "encoding"); ok {
		s = after
	}
	if standalone, after, ok := cutXMLProperty(s, "standalone"); ok {
		d.standalone, s = string(standalone), after
		if d.standalone != "yes" && d.standalone != "no" {
			return d, v, false
		}
	}
	rest, ok = bytes.CutPrefix(skipXMLSpace(s), []byte("?>"))
	if !ok || !isASCII(v[:len(v)-len(rest)]) {
		return d, v, false
	}
	return d, rest, true
}

// cutXMLProperty takes a blank, name="value" from the start of s.
func cutXMLProperty(s []byte, name string) (value, rest []byte, ok bool) {
	p := skipXMLSpace(s)
	if len(p) == len(s) {
		return nil, s, false
	}
	if p, ok = bytes.CutPrefix(p, []byte(name)); !ok {
		return nil, s, false
	}
	if p, ok = bytes.CutPrefix(skipXMLSpace(p), []byte("=")); !ok {
		return nil, s, false
	}
	p = skipXMLSpace(p)
	if len(p) == 0 || p[0] != '"' && p[0] != '\'' {
		return nil, s, false
	}
	end := bytes.IndexByte(p[1:], p[0])
	if end < 0 {
		return nil, s, false
	}
	return p[1 : 1+end : 1+end], p[end+2:], true
}

func skipXMLSpace(s []byte) []byte { return bytes.TrimLeft(s, " \t\n\r") }

func isASCII(s []byte) bool {
	for _, c := range s {
		if c > 127 {
			return false
		}
	}
	return true
}
