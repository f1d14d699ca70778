package ui

import "github.com/pgrescue/pgrescue/steps/engine"

// latestVerdicts are each act's verdicts of its latest attempt, the last one on each
// subject, in the order in which the subjects came up.
func latestVerdicts(v engine.View) []engine.Placed[engine.Verdict] {
	attempts := map[engine.Act]int{}
	for _, p := range v.Verdicts {
		attempts[p.Act] = max(attempts[p.Act], p.Attempt)
	}
	if v.Act == engine.Rehearsal {
		attempts[v.Act] = v.Attempt
	}
	type subject struct {
		act        engine.Act
		step, name string
	}
	at := map[subject]int{}
	var out []engine.Placed[engine.Verdict]
	for _, p := range v.Verdicts {
		if p.Attempt != attempts[p.Act] {
			continue
		}
		key := subject{p.Act, p.Step, p.Item.Subject}
		if i, ok := at[key]; ok {
			out[i] = p
			continue
		}
		at[key] = len(out)
		out = append(out, p)
	}
	return out
}

// lastChecked are the verdicts of the act that checked last.
func lastChecked(v engine.View) []engine.Placed[engine.Verdict] {
	all := latestVerdicts(v)
	var out []engine.Placed[engine.Verdict]
	for _, p := range all {
		if p.Act == all[len(all)-1].Act {
			out = append(out, p)
		}
	}
	return out
}

// tally counts verdicts by result.
func tally(verdicts []engine.Placed[engine.Verdict]) (passed, failed, unchecked int) {
	for _, p := range verdicts {
		switch p.Item.Result {
		case engine.Passed:
			passed++
		case engine.Fail:
			failed++
		default:
			unchecked++
		}
	}
	return passed, failed, unchecked
}
