package pgdisk

// Fate says what became of a tuple in a cluster where nothing runs: what a server would find
// after recovery, with every transaction that did not commit taken as aborted.
type Fate uint8

// Fates of tuples.
const (
	FateVisible     Fate = iota + 1 // the current version of a row
	FateNotInserted                 // its inserting transaction did not commit
	FateDeleted                     // deleted or superseded by a transaction that committed
)

// Verdict is the fate of a tuple and how sure it is.
type Verdict struct {
	Fate     Fate
	Doubtful bool   // taken without proof: pg_xact or a multixact could not tell
	Why      string // of a doubtful verdict: what could not be read
}

// Visibility tells the fate of tuples from hint bits, and where those are not set from
// pg_xact and the multixacts. The zero value goes by hint bits alone.
type Visibility struct {
	Xact    XactStatusFunc                        // nil: pg_xact is lost
	Members func(m MultiXactID) ([]Member, error) // nil: multixacts are lost
}
