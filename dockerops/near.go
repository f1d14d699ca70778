package dockerops

import (
	"cmp"
	"slices"
	"strings"
)

// maxNear is how many similar names an error suggests.
const maxNear = 5

// near lists the names most like the one that was not found, best first.
func near(all []named, name string) []string {
	type scored struct {
		text string
		dist int
	}
	var hits []scored
	for _, n := range all {
		d := distance(strings.ToLower(n.name), strings.ToLower(name))
		if strings.Contains(n.name, name) || strings.Contains(name, n.name) {
			d = 1
		}
		if d <= max(2, len(name)/3) {
			hits = append(hits, scored{n.String(), d})
		}
	}
	slices.SortStableFunc(hits, func(a, b scored) int { return cmp.Compare(a.dist, b.dist) })
	var out []string
	for _, h := range hits[:min(len(hits), maxNear)] {
		out = append(out, h.text)
	}
	return out
}

// distance is the Levenshtein distance in bytes.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			diagonal, row[j+1] = row[j+1], min(row[j+1]+1, row[j]+1, diagonal+cost)
		}
	}
	return row[len(b)]
}

// joinOr writes "a, b or c".
func joinOr(s []string) string {
	if len(s) < 2 {
		return strings.Join(s, "")
	}
	return strings.Join(s[:len(s)-1], ", ") + " or " + s[len(s)-1]
}
