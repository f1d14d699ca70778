package values

import (
	"encoding/binary"
	"strconv"

	"github.com/pgrescue/pgrescue/pgops/pgdisk"
)

// regKind tells which objects the output function of a reg type names (utils/adt/regproc.c).
func regKind(output string) (NameKind, bool) {
	switch output {
	case "regprocout":
		return NameProc, true
	case "regprocedureout":
		return NameProcedure, true
	case "regoperout":
		return NameOper, true
	case "regoperatorout":
		return NameOperator, true
	case "regclassout":
		return NameClass, true
	case "regtypeout":
		return NameType, true
	case "regroleout":
		return NameRole, true
	case "regnamespaceout":
		return NameNamespace, true
	case "regconfigout":
		return NameConfig, true
	case "regdictionaryout":
		return NameDictionary, true
	case "regcollationout":
		return NameCollation, true
	case "regdatabaseout":
		return NameDatabase, true
	}
	return 0, false
}

// regOut prints what a reg type names: of no object a hyphen, of an operator that is none
// 0, of an object that is gone its number.
func regOut(kind NameKind) codec {
	return func(dst []byte, t *Type, v []byte, env *Env) ([]byte, error) {
		if len(v) < 4 {
			return dst, shortValue(t, v, 4)
		}
		oid := pgdisk.OID(binary.LittleEndian.Uint32(v))
		if oid == 0 {
			if kind == NameOper || kind == NameOperator {
				return append(dst, '0'), nil
			}
			return append(dst, '-'), nil
		}
		if env.Names != nil {
			if name, ok := env.Names(kind, oid); ok {
				return append(dst, name...), nil
			}
		}
		return strconv.AppendUint(dst, uint64(oid), 10), nil
	}
}
