package dockerops

import (
	"fmt"
	"maps"
)

// Labels that every object made by this package carries.
const (
	// LabelIncident holds the id of the incident that the object belongs to.
	LabelIncident = "com.pgrescue.incident"
	// LabelRole holds what the object is for: one of the Role constants.
	LabelRole = "com.pgrescue.role"
)

// Role says what an object made by this package is for. Clean removes in the
// order in which they can be removed, and keeps RoleSnapshot unless told.
type Role string

// The roles.
const (
	RoleHelper   Role = "helper"   // container or image that runs our own binary
	RoleSandbox  Role = "sandbox"  // isolated container that runs the target's image
	RoleSnapshot Role = "snapshot" // volume: sealed copy of the original
	RoleScratch  Role = "scratch"  // volume: upper layers of clones
	RoleClone    Role = "clone"    // volume: overlay of a scratch directory over a snapshot
)

// Tag is the ownership mark of an object.
type Tag struct {
	Incident string
	Role     Role
}

// labels returns extra with the mark added, or an error if the mark is not
// complete: an unmarked object could never be cleaned up.
func (t Tag) labels(extra map[string]string) (map[string]string, error) {
	if t.Incident == "" || t.Role == "" {
		return nil, fmt.Errorf("object without owner: incident %q, role %q", t.Incident, t.Role)
	}
	m := maps.Clone(extra)
	if m == nil {
		m = make(map[string]string, 2)
	}
	m[LabelIncident] = t.Incident
	m[LabelRole] = string(t.Role)
	return m, nil
}
