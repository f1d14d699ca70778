package values

import (
	"encoding/binary"
	"strconv"
	"strings"

	"github.com/pgrescue/pgrescue/pgops/pgdisk"
)

// aclRights are the letters of privileges, from bit 0 (ACL_ALL_RIGHTS_STR, utils/acl.h). SET
// and ALTER SYSTEM came with 15, MAINTAIN with 17; before, their bits were not used.
const aclRights = "arwdDxtXUCTcsAm"

// aclitemOut prints an aclitem as grantee=privileges/grantor (aclitemout, utils/adt/acl.c).
// Privileges and the right to grant them share a number: of 32 bits up to 15, of 64 since.
func aclitemOut(dst []byte, t *Type, v []byte, env *Env) ([]byte, error) {
	le := binary.LittleEndian
	var rights, grants uint32
	switch len(v) {
	case 12:
		rights, grants = uint32(le.Uint16(v[8:])), uint32(le.Uint16(v[10:]))
	case 16:
		rights, grants = le.Uint32(v[8:]), le.Uint32(v[12:])
	default:
		return dst, badValue(t, "%d bytes, want 12 or 16", len(v))
	}
	if grantee := pgdisk.OID(le.Uint32(v)); grantee != 0 { // ACL_ID_PUBLIC
		dst = appendACLRole(dst, grantee, env)
	}
	dst = append(dst, '=')
	for i := range len(aclRights) {
		if rights>>i&1 != 0 {
			dst = append(dst, aclRights[i])
		}
		if grants>>i&1 != 0 {
			dst = append(dst, '*')
		}
	}
	dst = append(dst, '/')
	return appendACLRole(dst, pgdisk.OID(le.Uint32(v[4:])), env), nil
}

// appendACLRole prints a role as putid does, which quotes other names than quote_identifier.
func appendACLRole(dst []byte, oid pgdisk.OID, env *Env) []byte {
	if env.Names == nil {
		return strconv.AppendUint(dst, uint64(oid), 10)
	}
	name, ok := env.Names(NameRole, oid)
	if !ok {
		return strconv.AppendUint(dst, uint64(oid), 10)
	}
	if len(name) >= 2 && name[0] == '"' {
		name = strings.ReplaceAll(name[1:len(name)-1], `""`, `"`)
	}
	safe := true
	for i := range len(name) {
		safe = safe && isACLSafe(name[i])
	}
	if safe {
		return append(dst, name...)
	}
	dst = append(dst, '"')
	dst = append(dst, strings.ReplaceAll(name, `"`, `""`)...)
	return append(dst, '"')
}

// isACLSafe tells the bytes of names that need no quotes (is_safe_acl_char, utils/adt/acl.c).
func isACLSafe(c byte) bool {
	return c == '_' || c >= '0' && c <= '9' || c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z'
}
