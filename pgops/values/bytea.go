package values

// byteaOut prints bytes in hex after \x (byteaout with bytea_output hex, utils/adt/varlena.c).
func byteaOut(dst []byte, _ *Type, v []byte, _ *Env) ([]byte, error) {
	return appendHex(append(dst, `\x`...), v), nil
}
