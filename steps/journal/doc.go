// Package journal keeps an incident on disk: one directory with the append-only journal
// that everything else is derived from, the outputs of commands, saved bytes, the
// engine's socket and lock, and the exports for people.
//
// A line of journal.jsonl is one engine.Event. Each carries the SHA-256 of the line
// before it, newline included, so that the chain can be checked with sha256sum. Append
// returns when the line is on disk. A last line without its newline was never
// acknowledged: it is set aside when the journal is opened for writing, and ignored when
// it is read.
package journal
