// Package quiet keeps Bubble Tea from asking the terminal for its background colour when
// a program starts.
//
// bubbletea v1's own initialisation writes OSC 11 and a cursor query to the terminal and
// waits for the answer, up to five seconds where none comes, in every program that links
// it; a late answer then arrives as keys. termenv leaves the terminal alone where TERM is
// "dumb". So TERM is "dumb" for as long as packages are being initialised.
//
// Go initialises, among the packages whose imports are ready, the one with the smallest
// import path first. This package needs nothing but os, and bubbletea needs os/exec and
// os/signal, which need os and sort after this path: so this one always comes first,
// though its path sorts after bubbletea's. A test starts a program on a terminal and
// looks. This is the one place where initialisation with an effect is allowed.
package quiet

import "os"

// saved is TERM as it was. It is written here, before main, and never again.
var saved = hush()

type termValue struct {
	value string
	set   bool
}

func hush() termValue {
	var t termValue
	t.value, t.set = os.LookupEnv("TERM")
	os.Setenv("TERM", "dumb") // cannot fail: neither name nor value has a NUL or =
	return t
}

// Restore gives TERM back its value. It is for package ui alone, whose imports have been
// initialised when it is called. It returns a value so that a variable can call it.
func Restore() bool {
	if !saved.set {
		os.Unsetenv("TERM")
		return false
	}
	os.Setenv("TERM", saved.value)
	return true
}
