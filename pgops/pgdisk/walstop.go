package pgdisk

import "fmt"

// WALStopCause says which check a reader of WAL could not get past.
type WALStopCause uint8

// Causes, in the order in which they are met.
const (
	WALStopNoSegment  WALStopCause = iota + 1 // no file holds this position
	WALStopShort                              // the file ends before the page does
	WALStopReadError                          // the device or file system refused
	WALStopZeroPage                           // a page of zeros
	WALStopPageMagic                          // page header: magic
	WALStopPageFlags                          // page header: flags
	WALStopForeign                            // page header: other cluster, segment or block size
	WALStopPageAddr                           // page header: recycled or misplaced page
	WALStopTimeline                           // page header: timeline goes backwards
	WALStopOffset                             // asked to read inside a page header or a continued record
	WALStopZeroLength                         // record length 0: nothing was written here
	WALStopLength                             // record length impossible
	WALStopRmgr                               // resource manager that does not exist
	WALStopPrev                               // does not link to the record before
	WALStopContRecord                         // continuation missing or of the wrong length
	WALStopCRC                                // checksum
	WALStopDecode                             // checksum good, fragments do not add up
)

// WALStop is where and why reading WAL ends. Every WAL ends with one: it is not by
// itself a sign of damage, FindWALEnd tells which it is.
type WALStop struct {
	LSN      LSN // the record that could not be read
	Page     LSN // the page at which it failed
	PageAddr LSN // what that page says of itself, for the page causes
	Cause    WALStopCause
	Text     string
	Err      error // the system's error for WALStopReadError
}

func (e *WALStop) Error() string { return fmt.Sprintf("WAL at %s: %s", e.LSN, e.Text) }

// Unwrap gives the system's error, if there is one.
func (e *WALStop) Unwrap() error { return e.Err }
