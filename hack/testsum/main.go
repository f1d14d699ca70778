// Command testsum reads the output of `go test -json` and prints what a person
// wants of it: a line per package, the output of what failed, every skipped
// test with its reason, and the counts as the last line.
//
// It exits 1 if anything failed, did not build or never finished, or if no test
// ran at all. Skips do not fail a run; they are made impossible to overlook.
package main

import (
	"fmt"
	"os"
)

func main() {
	s, err := read(os.Stdin, os.Stdout)
	if err != nil {
		fmt.Fprintf(os.Stderr, "testsum: cannot read the test stream: %v\n", err)
		os.Exit(2)
	}
	s.report(os.Stdout)
	if !s.ok() {
		os.Exit(1)
	}
}
