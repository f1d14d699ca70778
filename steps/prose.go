package steps

import "embed"

// prose holds what the operator reads, one text per step.
//
//go:embed *.md
var prose embed.FS

// doc is the text of a step. A test reads them all.
func doc(name string) string {
	b, err := prose.ReadFile(name + ".md")
	if err != nil {
		return "" // Playbook.Validate refuses a step without prose
	}
	return string(b)
}
