// Package pgdisk turns the bytes of a PostgreSQL cluster into structures and back.
//
// It is pure: it reads through io/fs and io.ReaderAt, holds no state, starts no
// process and knows nothing of servers. Every structure has one file with its
// decoder, its table test and its fuzz test. Layouts that differ between majors are
// rows of a table (layout.go), not conditions in the code.
//
// Input is hostile by assumption: what is read here has been damaged. Lengths are
// bounded before anything is allocated, and a structure that does not hold together
// is a *FormatError that says where, what was expected and what was found. A decoder
// never repairs: it reports.
//
// Only little endian files of 8 kB blocks are read; a big endian pg_control is
// recognised and refused by name.
package pgdisk
