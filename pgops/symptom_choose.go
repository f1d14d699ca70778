package pgops

import "fmt"

// Choose names the playbook that the hits call for, and why, for the operator. An empty playbook
// means that none may act: why then says what to do instead. Causes outside the data (a full disk,
// the wrong image, a server that is still alive) are never led to a playbook that rewrites.
func Choose(hits []SymptomHit) (playbook, why string) {
	top := topHit(hits)
	if top == nil {
		return "", "No message in this log names damage. Look at the exit code, the last lines and the control file."
	}
	if block := outsideCause(hits, top); block != nil {
		why = fmt.Sprintf("%s %s", block.Meaning, block.Next)
		if block != top && top.Playbook != PlaybookNone {
			why += fmt.Sprintf(" Damage was named as well (%s, line %d); look at it once this is out of the way.", top.ID, top.LineNo)
		}
		return "", why
	}
	playbook = top.Playbook
	if playbook == PlaybookNone {
		return "", top.Meaning + " " + top.Next
	}
	if playbook != PlaybookCrashLoop && top.Weighed() == SeverityFatal {
		playbook = PlaybookCrashLoop // the same damage, but here it keeps the server from starting
	}
	return playbook, fmt.Sprintf("%s First: %s", top.Meaning, top.Next)
}

// topHit is the first hit that calls for anything.
func topHit(hits []SymptomHit) *SymptomHit {
	for i := range hits {
		if !hits[i].Past && hits[i].Weighed() != SeverityHarmless {
			return &hits[i]
		}
	}
	return nil
}

// outsideCause finds a fatal cause outside the data that is no older than the top hit: the last
// thing that stopped the server counts, whatever stopped it before.
func outsideCause(hits []SymptomHit, top *SymptomHit) *SymptomHit {
	if top.NotCorruption {
		return top
	}
	for i := range hits {
		h := &hits[i]
		if h.NotCorruption && !h.Past && h.Weighed() == SeverityFatal && (h.LineNo > top.LineNo || h.cycle == top.cycle) {
			return h
		}
	}
	return nil
}

// Choose is the package's Choose for this log. Where nothing is known it says so, and why that may
// be.
func (r *LogReport) Choose() (playbook, why string) {
	playbook, why = Choose(r.Hits)
	if topHit(r.Hits) == nil {
		if note := r.languageNote(); note != "" {
			why += " " + note
		}
	}
	return playbook, why
}
