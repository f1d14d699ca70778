package pgops

import (
	"cmp"
	"slices"
)

// Weighed is the symptom's severity in the light of how it was met: a damaged page is fatal where
// it stops replay, and a fatal cause is damage only where it failed a single statement.
func (h *SymptomHit) Weighed() Severity {
	switch {
	case h.Weak:
		return SeverityHarmless
	case h.Level == LevelPanic && h.Severity != SeverityHarmless:
		return SeverityFatal
	case h.Level == LevelFatal && h.Captures["redo"] != "" && h.Severity != SeverityHarmless:
		return SeverityFatal
	case h.Severity == SeverityFatal && (h.Level == LevelError || h.Level == LevelWarning):
		return SeverityDamage
	}
	return h.Severity
}

// ranked closes the hits and orders them: what is over goes last; then by weight; among what is
// fatal the latest start counts, and in it the PANIC before what it led to.
func (m *matcher) ranked() []SymptomHit {
	hits := make([]SymptomHit, 0, len(m.hits))
	for _, h := range m.hits {
		h.Past = h.Weighed() == SeverityFatal && h.readyLast < m.cycles.sum.Ready && h.readyFirst == h.readyLast
		hits = append(hits, *h)
	}
	slices.SortFunc(hits, func(a, b SymptomHit) int {
		fatal := a.Weighed() == SeverityFatal && b.Weighed() == SeverityFatal
		latest := 0
		if fatal {
			latest = cmp.Compare(b.cycle, a.cycle)
		}
		return cmp.Or(
			boolLast(a.Past, b.Past),
			cmp.Compare(b.Weighed().rank(), a.Weighed().rank()),
			latest,
			cmp.Compare(b.Level.Rank(), a.Level.Rank()),
			cmp.Compare(a.FirstNo, b.FirstNo),
			cmp.Compare(a.Number, b.Number),
		)
	})
	return hits
}

// boolLast orders false before true.
func boolLast(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return 1
	}
	return -1
}
