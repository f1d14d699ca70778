package values

// Readable tells before any value is read whether values of a type can be printed: nil, or a
// *ValueError that names the type whose output function is not known here, which may be that
// of an element, a field, or the base type. A type that refers to itself is told by its
// other parts.
func Readable(t *Type) error { return readable(t, map[*Type]bool{}) }

func readable(t *Type, seen map[*Type]bool) error {
	if t == nil {
		return &ValueError{Type: typeName(nil), Reason: "the type is not in the dictionary"}
	}
	if seen[t] {
		return nil
	}
	seen[t] = true
	output := outputOf(t)
	_, scalar := scalarCodec(output)
	if _, compound := compoundCodec(output); !scalar && !compound {
		_, err := unreadable(nil, t, nil, nil)
		return err
	}
	if nestedText(output) == nil {
		return nil
	}
	for _, inner := range []*Type{t.Elem, t.Base, t.Range} {
		if inner != nil {
			if err := readable(inner, seen); err != nil {
				return err
			}
		}
	}
	for _, f := range t.Fields {
		if !f.Dropped {
			if err := readable(f.Type, seen); err != nil {
				return err
			}
		}
	}
	return nil
}
