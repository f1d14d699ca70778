package ui

import "github.com/pgrescue/pgrescue/ui/quiet"

// TERM has its value back once this package's imports, bubbletea among them, have been
// initialised.
var _ = quiet.Restore()
