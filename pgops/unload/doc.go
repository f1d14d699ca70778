// Package unload writes the rows of tables, read from the files of a cluster without a server,
// as COPY text, CSV or JSON lines. It never writes to the cluster, and can go on where it stopped.
//
// # What is in which file
//
// A table's own file holds nothing but rows that are right as far as bytes can tell, so that
// what is loaded from it needs no second look, and that COPY FROM takes: the current versions
// by MVCC, from pages that hold together and, where there are checksums, pass them, taken
// apart to the last byte of the tuple, every value printed, text valid in the encoding.
//
// Anything else that is visible goes to the file of damaged rows (SCHEMA.TABLE.damaged.jsonl),
// column by column as text, with the bytes in hex of what cannot be printed: a row of which
// one value is lost, of which the columns cannot be told apart from some place on, or which
// lies on a page that fails its checksum or has a broken header. Such a row would be wrong
// without anybody seeing it, or would keep the others from being loaded. A tuple that is not
// even that is in the notes, all of its bytes. Nothing is dropped without a note and a count.
//
// Two things are let pass into the table's own file, counted and noted: a row whose fate is
// in doubt, because pg_xact or a multixact does not tell, is taken as visible; and a column
// of a type whose output function is not known has its bytes in hex in every row, since all
// rows would be damaged otherwise.
//
// Pages of zeroes are allocated before they are used, and a crash leaves some behind that never
// were. The free space map and the visibility map tell them from pages whose rows are lost: a
// page is new if the free space map has all of it free, or if it lies behind all others and
// behind the blocks that pg_class counted. Every other one is counted as lost, with a note on
// what speaks for it. So is an end that is not there, of which pg_class or a map knows.
//
// # How
//
// Chunks of blocks are printed by several workers and written in order by one goroutine
// (pipeline). What is under way is bounded, so memory does not grow with the tables, but for
// single values: one of 1 GB needs room for itself and its text. Every two seconds files and
// then the state are made durable; a run that was killed cuts its files back to the state's
// lengths and goes on from there, and comes to the same bytes.
//
// In COPY's format, a row about which there is nothing to say is written in one pass over its
// bytes (quickRow). Whatever is not quite ordinary goes the long way, which knows all cases.
package unload
