package catalog

import (
	"fmt"

	"github.com/pgrescue/pgrescue/pgops/pgdisk"
)

// Problem is something that the dictionary lacks or cannot be sure of.
type Problem struct {
	File  string             // under the data directory; empty when it is about no file
	Block pgdisk.BlockNumber // of the relation fork, when InBlock
	Item  uint16             // line pointer, from 1; 0 when it is about the whole block
	What  string             // what is wrong, and what that costs

	InBlock bool // Block and Item count
}

// String puts place and finding together.
func (p Problem) String() string {
	switch {
	case p.File == "":
		return p.What
	case !p.InBlock:
		return fmt.Sprintf("%s: %s", p.File, p.What)
	case p.Item == 0:
		return fmt.Sprintf("%s, block %d: %s", p.File, p.Block, p.What)
	}
	return fmt.Sprintf("%s, block %d, item %d: %s", p.File, p.Block, p.Item, p.What)
}

// maxProblems bounds how many problems of one file are listed.
const maxProblems = 100

// problems collects what was found.
type problems struct {
	list  []Problem
	count map[string]int // by file
}

func (p *problems) add(q Problem) {
	if p.count == nil {
		p.count = map[string]int{}
	}
	p.count[q.File]++
	if p.count[q.File] <= maxProblems || q.File == "" {
		p.list = append(p.list, q)
	}
}

// file adds a problem of a whole file, or of no file when path is empty.
func (p *problems) file(path, format string, args ...any) {
	p.add(Problem{File: path, What: fmt.Sprintf(format, args...)})
}

// all returns the list, with a last line for each file of which some were left out.
func (p *problems) all() []Problem {
	seen := map[string]bool{}
	list := p.list[:len(p.list):len(p.list)]
	for _, q := range p.list {
		if n := p.count[q.File] - maxProblems; q.File != "" && n > 0 && !seen[q.File] {
			seen[q.File] = true
			list = append(list, Problem{File: q.File, What: fmt.Sprintf("and %d more problems", n)})
		}
	}
	return list
}
