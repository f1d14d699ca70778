package values

import "math"

// print prints one item without those applied to it (printJsonPathItem, utils/adt/jsonpath.c).
func (p *jsonpathPrinter) print(it jsonpathItem, inKey, brackets bool, depth int) error {
	switch kind := it.kind; {
	case kind == jpiString || kind == jpiKey || kind == jpiVariable:
		return p.printString(it, inKey)
	case kind == jpiNumeric:
		return p.printNumber(it)
	case kind == jpiBool:
		return p.printBool(it)
	case kind == jpiAnd || kind == jpiOr || kind >= jpiEqual && kind <= jpiMod || kind == jpiStartsWith:
		return p.bracketed(brackets, func() error { return p.printBinary(it, depth) })
	case kind == jpiPlus || kind == jpiMinus:
		return p.bracketed(brackets, func() error {
			p.add(jsonpathWord(kind))
			return p.argument(it, it.body, kind, depth)
		})
	case kind == jpiLikeRegex:
		return p.bracketed(brackets, func() error { return p.printRegex(it, depth) })
	case kind == jpiNot || kind == jpiIsUnknown || kind == jpiFilter || kind == jpiExists:
		return p.printPredicate(it, depth)
	case kind == jpiDatetime || kind >= jpiTime || kind == jpiDecimal:
		return p.printMethod(it, depth)
	case kind == jpiIndexArray:
		return p.printSubscripts(it, depth)
	case kind == jpiAny:
		return p.printAny(it, inKey)
	}
	word := jsonpathWord(it.kind)
	if word == "" {
		return badValue(p.t, "an item of kind %d by itself", it.kind)
	}
	if it.kind == jpiAnyKey && inKey {
		p.add(".")
	}
	p.add(word)
	return nil
}

// printString prints a string, a key or the name of a variable.
func (p *jsonpathPrinter) printString(it jsonpathItem, inKey bool) error {
	n, err := p.number(it.body)
	if err != nil {
		return err
	}
	s, err := p.text(it.body+4, n)
	if err != nil {
		return err
	}
	switch {
	case it.kind == jpiKey && inKey:
		p.add(".")
	case it.kind == jpiVariable:
		p.add("$")
	}
	p.dst = appendJSONString(p.dst, s)
	return nil
}

// printNumber prints a number, since 15 in parentheses if something is applied to it.
func (p *jsonpathPrinter) printNumber(it jsonpathItem) error {
	if it.body > len(p.b) {
		return badValue(p.t, "a number at %d of %d bytes", it.body, len(p.b))
	}
	parens := p.env.Major == 0 || p.env.Major >= 15
	return p.bracketed(parens && it.next != 0, func() (err error) {
		p.dst, err = appendNumeric(p.dst, p.t, p.b[it.body:], p.env)
		return err
	})
}

func (p *jsonpathPrinter) printBool(it jsonpathItem) error {
	b, err := p.text(it.body, 1)
	if err != nil {
		return err
	}
	if b[0] != 0 {
		p.add("true")
	} else {
		p.add("false")
	}
	return nil
}

func (p *jsonpathPrinter) printBinary(it jsonpathItem, depth int) error {
	if err := p.argument(it, it.body, it.kind, depth); err != nil {
		return err
	}
	p.add(" ")
	p.add(jsonpathWord(it.kind))
	p.add(" ")
	return p.argument(it, it.body+4, it.kind, depth)
}

func (p *jsonpathPrinter) printPredicate(it jsonpathItem, depth int) error {
	before, after := "(", ")"
	switch it.kind {
	case jpiNot:
		before = "!("
	case jpiIsUnknown:
		after = ") is unknown"
	case jpiFilter:
		before = "?("
	case jpiExists:
		before = "exists ("
	}
	p.add(before)
	err := p.argument(it, it.body, 0, depth)
	p.add(after)
	return err
}

// printMethod prints a method with arguments, each of which may be missing.
func (p *jsonpathPrinter) printMethod(it jsonpathItem, depth int) error {
	arguments := 1
	if it.kind == jpiDecimal {
		arguments = 2
	}
	p.add(jsonpathWord(it.kind))
	p.add("(")
	for i := range arguments {
		off := it.body + 4*i
		distance, err := p.number(off)
		if err != nil {
			return err
		}
		if distance == 0 {
			continue
		}
		if i > 0 {
			p.add(",")
		}
		if err := p.argument(it, off, 0, depth); err != nil {
			return err
		}
	}
	p.add(")")
	return nil
}

// printSubscripts prints the subscripts of an array: pairs of items, the second of which is
// missing where there is no range.
func (p *jsonpathPrinter) printSubscripts(it jsonpathItem, depth int) error {
	n, err := p.number(it.body)
	if err != nil {
		return err
	}
	p.add("[")
	for i := range int(n) {
		if i > 0 {
			p.add(",")
		}
		off := it.body + 4 + 8*i
		to, err := p.number(off + 4)
		if err != nil {
			return err
		}
		if err := p.argument(it, off, 0, depth); err != nil {
			return err
		}
		if to == 0 {
			continue
		}
		p.add(" to ")
		if err := p.argument(it, off+4, 0, depth); err != nil {
			return err
		}
	}
	p.add("]")
	return nil
}

// printAny prints .** with the levels that it goes down; the greatest number means last.
func (p *jsonpathPrinter) printAny(it jsonpathItem, inKey bool) error {
	first, err := p.number(it.body)
	if err != nil {
		return err
	}
	last, err := p.number(it.body + 4)
	if err != nil {
		return err
	}
	if inKey {
		p.add(".")
	}
	p.add("**")
	if first == 0 && last == math.MaxUint32 {
		return nil
	}
	p.add("{")
	p.addLevel(first)
	if first != last {
		p.add(" to ")
		p.addLevel(last)
	}
	p.add("}")
	return nil
}

func (p *jsonpathPrinter) addLevel(n uint32) {
	if n == math.MaxUint32 {
		p.add("last")
		return
	}
	p.addNumber(n)
}

// printRegex prints like_regex. Its flags have a bit each, in this order (JSP_REGEX_ICASE to
// JSP_REGEX_QUOTE, utils/jsonpath.h).
func (p *jsonpathPrinter) printRegex(it jsonpathItem, depth int) error {
	flags, err := p.number(it.body)
	if err != nil {
		return err
	}
	n, err := p.number(it.body + 8)
	if err != nil {
		return err
	}
	pattern, err := p.text(it.body+12, n)
	if err != nil {
		return err
	}
	if err := p.argument(it, it.body+4, it.kind, depth); err != nil {
		return err
	}
	p.add(" like_regex ")
	p.dst = appendJSONString(p.dst, pattern)
	const letters = "ismxq"
	if flags&(1<<len(letters)-1) == 0 {
		return nil
	}
	p.add(` flag "`)
	for i := range len(letters) {
		if flags>>i&1 != 0 {
			p.add(letters[i : i+1])
		}
	}
	p.add(`"`)
	return nil
}
