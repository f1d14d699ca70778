package values

// codec appends the text of a value to dst. Of a varlena, v is the detoasted payload without
// its header; of a type of fixed width, its bytes, as many as typlen says.
type codec func(dst []byte, t *Type, v []byte, env *Env) ([]byte, error)

// codecOf returns the codec of a type: by the name of its output function, which is C code
// for every built-in type, or by its OID if that is not known. A type that has none gets a
// codec that says so.
func codecOf(t *Type) codec {
	output := outputOf(t)
	if c, ok := scalarCodec(output); ok {
		return c
	}
	if c, ok := compoundCodec(output); ok {
		return c
	}
	return unreadable
}

// unreadable is the codec of a type whose output function is not known here.
func unreadable(dst []byte, t *Type, _ []byte, _ *Env) ([]byte, error) {
	if t.Output == "" {
		return dst, badValue(t, "the output function of the type is not known")
	}
	return dst, badValue(t, "the output function %s cannot be imitated", t.Output)
}

// outputOf names the output function of a type: what pg_type says, else what its kind or its
// OID tell. A domain has that of its base type.
func outputOf(t *Type) string {
	if t.Output != "" {
		return t.Output
	}
	switch t.Kind {
	case KindDomain:
		if base := baseOf(t); base.Kind != KindDomain {
			return outputOf(base)
		}
	case KindComposite:
		return "record_out"
	case KindEnum:
		return "enum_out"
	case KindRange:
		return "range_out"
	case KindMultirange:
		return "multirange_out"
	}
	if t.Elem != nil {
		return "array_out"
	}
	return builtinOutput(t.OID)
}

// scalarCodec finds the codec of an output function that prints plain data.
func scalarCodec(output string) (codec, bool) {
	for _, family := range []func(string) codec{numberCodec, stringCodec, timeCodec, systemCodec, geometricCodec} {
		if c := family(output); c != nil {
			return c, true
		}
	}
	return nil, false
}

func numberCodec(output string) codec {
	switch output {
	case "boolout":
		return boolOut
	case "int2out":
		return int2Out
	case "int4out":
		return int4Out
	case "int8out":
		return int8Out
	case "float4out":
		return float4Out
	case "float8out":
		return float8Out
	case "numeric_out":
		return numericOut
	case "cash_out":
		return moneyOut
	}
	return nil
}

func stringCodec(output string) codec {
	switch output {
	case "textout", "varcharout", "bpcharout", "json_out", "pg_node_tree_out":
		return textOut
	case "nameout":
		return nameOut
	case "charout":
		return charOut
	case "cstring_out", "unknownout":
		return textOut
	case "byteaout", "pg_mcv_list_out":
		return byteaOut
	case "bit_out", "varbit_out":
		return bitOut
	case "xml_out":
		return xmlOut
	case "uuid_out":
		return uuidOut
	}
	return nil
}

func timeCodec(output string) codec {
	switch output {
	case "date_out":
		return dateOut
	case "time_out":
		return timeOut
	case "timetz_out":
		return timeTZOut
	case "timestamp_out":
		return timestampOut
	case "timestamptz_out":
		return timestampTZOut
	case "interval_out":
		return intervalOut
	}
	return nil
}

func systemCodec(output string) codec {
	switch output {
	case "oidout", "xidout", "cidout":
		return oidOut
	case "xid8out":
		return xid8Out
	case "tidout":
		return tidOut
	case "pg_lsn_out":
		return lsnOut
	case "inet_out":
		return inetOut
	case "cidr_out":
		return cidrOut
	case "macaddr_out":
		return macaddrOut
	case "macaddr8_out":
		return macaddr8Out
	}
	return nil
}

func geometricCodec(output string) codec {
	switch output {
	case "point_out":
		return pointOut
	case "lseg_out":
		return lsegOut
	case "path_out":
		return pathOut
	case "box_out":
		return boxOut
	case "poly_out":
		return polygonOut
	case "line_out":
		return lineOut
	case "circle_out":
		return circleOut
	}
	return nil
}
