//go:build !linux

package agent

import (
	"os"
	"syscall"
)

// The hands work where PostgreSQL's containers run, which is Linux. Elsewhere the
// package compiles, so that the rest of the program can be used, and refuses to work.

var errNotLinux = &Error{Kind: KindUnsupported, Message: "the agent runs on Linux only",
	Hint: "run pgrescue on the Docker host itself"}

const openNoFollow = 0

func mediaErrors() [1]syscall.Errno                            { return [...]syscall.Errno{syscall.EIO} }
func statOf(os.FileInfo) (stat, error)                         { return stat{}, errNotLinux }
func nextData(*os.File, int64, int64) (Extent, bool, error)    { return Extent{}, false, errNotLinux }
func cloneFile(_, _ *os.File) error                            { return errNotLinux }
func cloneImpossible(error) bool                               { return true }
func syncFS(*os.File) error                                    { return errNotLinux }
func openForReadBack(*os.Root, string) (*os.File, bool, error) { return nil, false, errNotLinux }
func adviseSequential(*os.File)                                {}
func alignedBuffer(int) ([]byte, func(), error)                { return nil, nil, errNotLinux }
func setTimes(*os.File, string, int64) error                   { return errNotLinux }
func setMode(*os.File, uint32) error                           { return errNotLinux }
func listXattrs(*os.File, string) ([]Xattr, error)             { return nil, errNotLinux }
func setXattr(*os.File, string, Xattr) error                   { return errNotLinux }
func removeXattr(*os.File, string, Path) error                 { return errNotLinux }
func statFS(string) (Space, error)                             { return Space{}, errNotLinux }
func waitHangup(*os.File, <-chan struct{}) bool                { return false }
