package engine

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
)

// Plan is exactly what a rewriting step would change, as data. It is deterministic:
// the same data gives the same plan in the rehearsal and in the performance.
type Plan struct {
	Summary string   `json:"summary"`           // one sentence
	Changes []Change `json:"changes,omitempty"` // nothing outside this list is changed
	Loses   []string `json:"loses,omitempty"`   // what will be gone, in words; empty means nothing is known to be
	// Payload is what Apply works from where Changes alone do not hold it (the bytes
	// to write, the settings to start with). It is part of the digest.
	Payload json.RawMessage `json:"payload,omitempty"`
}

// Change is one thing a plan does. Paths are relative to the data directory.
type Change struct {
	Path   string   `json:"path,omitempty"`
	Argv   []string `json:"argv,omitempty"`
	Before string   `json:"before,omitempty"`
	After  string   `json:"after,omitempty"`
	Why    string   `json:"why,omitempty"`
	Loses  string   `json:"loses,omitempty"`
}

// Digest is the plan's identity: sha256 over its JSON, in hexadecimal.
func (p Plan) Digest() (string, error) {
	b, err := json.Marshal(p)
	if err != nil {
		return "", fmt.Errorf("plan cannot be encoded: %w", err)
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:]), nil
}

// seal gives the plan as the journal will hold it, and its digest. What JSON cannot hold,
// such as bytes in a text that are no UTF-8, is replaced before the digest is taken, so
// that the plan read back from the journal has the same one.
func (p Plan) seal() (Plan, string, error) {
	b, err := json.Marshal(p)
	if err != nil {
		return p, "", fmt.Errorf("plan cannot be encoded: %w", err)
	}
	var sealed Plan
	if err := json.Unmarshal(b, &sealed); err != nil {
		return p, "", fmt.Errorf("plan cannot be decoded again: %w", err)
	}
	digest, err := sealed.Digest()
	return sealed, digest, err
}

// Empty reports a plan that changes nothing: its step is done without consent.
func (p Plan) Empty() bool { return len(p.Changes) == 0 }
