package pgops

import (
	"embed"
	"fmt"
	"sort"
)

// SymptomCount is how many symptoms the catalogue holds; NewCatalogue refuses any other number.
const SymptomCount = 88

// Severity says how bad a symptom is by itself.
type Severity string

// The severities, worst first.
const (
	SeverityFatal    Severity = "fatal"    // the server does not start, or dies
	SeverityDamage   Severity = "damage"   // the server may run, but data is or may be wrong
	SeverityWarning  Severity = "warning"  // a sign to follow up
	SeverityHarmless Severity = "harmless" // belongs to ordinary life
)

func (s Severity) rank() int {
	switch s {
	case SeverityFatal:
		return 3
	case SeverityDamage:
		return 2
	case SeverityWarning:
		return 1
	}
	return 0
}

// Playbooks a symptom may name. PlaybookNone stands for symptoms that no playbook may act on.
const (
	PlaybookCrashLoop    = "crash-loop"
	PlaybookCheckTables  = "check-tables"
	PlaybookRescueTable  = "rescue-table"
	PlaybookRebuildTable = "rebuild-table"
	PlaybookNone         = "none"
)

// Symptom is one kind of message that a PostgreSQL server or its surroundings write when something
// is wrong, with what an operator needs to know about it.
type Symptom struct {
	ID       string // stable, kebab-case: redo-page-mismatch
	Number   int    // 1 to SymptomCount, stable
	Family   string // control, wal, backup, slru, page, tuple, index, catalog, freeze, environment
	Patterns []Pattern
	Severity Severity
	Meaning  string   // what it means
	Next     string   // the next action, the one that can lose least
	Remedies []string // the ladder after that, least loss first
	Playbook string   // one of the Playbook constants
	Lossless bool     // at least one remedy is known to lose nothing
	// NotCorruption marks a cause outside the data: permissions, space, the wrong image or backup,
	// a server that is still alive. A rewrite of the data can only make these worse.
	NotCorruption bool
}

// Catalogue holds all symptoms with their compiled patterns. It is safe for concurrent use.
type Catalogue struct {
	symptoms []Symptom
	byID     map[string]int
	rules    []rule
}

// symptomData is the catalogue's text, one file for each family.
//
//go:embed symptoms/*.txt
var symptomData embed.FS

// NewCatalogue reads the catalogue that is built into the program and compiles its patterns.
func NewCatalogue() (*Catalogue, error) {
	entries, err := symptomData.ReadDir("symptoms")
	if err != nil {
		return nil, fmt.Errorf("symptom catalogue: %w", err)
	}
	var all []Symptom
	for _, entry := range entries {
		text, err := symptomData.ReadFile("symptoms/" + entry.Name())
		if err != nil {
			return nil, fmt.Errorf("symptom catalogue: %w", err)
		}
		family, err := parseSymptoms(entry.Name(), string(text))
		if err != nil {
			return nil, fmt.Errorf("symptom catalogue: %w", err)
		}
		all = append(all, family...)
	}
	return newCatalogue(all)
}

// newCatalogue numbers, checks and compiles a list of symptoms.
func newCatalogue(all []Symptom) (*Catalogue, error) {
	sort.Slice(all, func(i, j int) bool { return all[i].Number < all[j].Number })
	c := &Catalogue{symptoms: all, byID: make(map[string]int, len(all))}
	if len(all) != SymptomCount {
		return nil, fmt.Errorf("symptom catalogue: want %d symptoms, found %d", SymptomCount, len(all))
	}
	for i := range all {
		if all[i].Number != i+1 {
			return nil, fmt.Errorf("symptom catalogue: number %d is missing or doubled", i+1)
		}
		if _, doubled := c.byID[all[i].ID]; doubled {
			return nil, fmt.Errorf("symptom catalogue: %s is there twice", all[i].ID)
		}
		c.byID[all[i].ID] = i
	}
	for i := range all {
		for _, p := range all[i].Patterns {
			compiled, err := c.compile(i, p)
			if err != nil {
				return nil, fmt.Errorf("symptom %d %s: %w", all[i].Number, all[i].ID, err)
			}
			c.rules = append(c.rules, compiled)
		}
	}
	return c, nil
}

// Symptoms lists the whole catalogue by number. The caller must not change it.
func (c *Catalogue) Symptoms() []Symptom { return c.symptoms }

// Lookup finds a symptom by its ID.
func (c *Catalogue) Lookup(id string) (Symptom, bool) {
	i, ok := c.byID[id]
	if !ok {
		return Symptom{}, false
	}
	return c.symptoms[i], true
}
