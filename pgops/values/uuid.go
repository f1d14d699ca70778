package values

const uuidSize = 16 // UUID_LEN, utils/uuid.h

// uuidOut prints a UUID in groups of 8, 4, 4, 4 and 12 digits (uuid_out, utils/adt/uuid.c).
func uuidOut(dst []byte, t *Type, v []byte, _ *Env) ([]byte, error) {
	if len(v) < uuidSize {
		return dst, shortValue(t, v, uuidSize)
	}
	for i, c := range v[:uuidSize] {
		if i == 4 || i == 6 || i == 8 || i == 10 {
			dst = append(dst, '-')
		}
		dst = append(dst, hexDigits[c>>4], hexDigits[c&15])
	}
	return dst, nil
}
