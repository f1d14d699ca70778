package values

// boolOut prints a boolean as t or f (boolout, utils/adt/bool.c).
func boolOut(dst []byte, t *Type, v []byte, _ *Env) ([]byte, error) {
	b, err := decodeBool(t, v)
	if err != nil {
		return dst, err
	}
	if b {
		return append(dst, 't'), nil
	}
	return append(dst, 'f'), nil
}

// boolJSON prints true or false (datum_to_json_internal, utils/adt/json.c).
func boolJSON(dst []byte, t *Type, v []byte, _ *Env) ([]byte, error) {
	b, err := decodeBool(t, v)
	if err != nil {
		return dst, err
	}
	if b {
		return append(dst, "true"...), nil
	}
	return append(dst, "false"...), nil
}

// decodeBool reads a byte that is 0 or 1.
func decodeBool(t *Type, v []byte) (bool, error) {
	if len(v) < 1 {
		return false, shortValue(t, v, 1)
	}
	if v[0] > 1 {
		return false, badValue(t, "byte 0x%02X, want 0 or 1", v[0])
	}
	return v[0] == 1, nil
}
