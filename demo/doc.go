// Package demo makes a really broken PostgreSQL in Docker, to practise on and
// to test against.
//
// The damage is the one this program was first written for. A cluster runs with
// full_page_writes=off. After a checkpoint it goes on working: rows are locked
// through foreign keys, updated, deleted, a table is created. It is stopped
// hard. Then one heap page that the write-ahead log will touch loses its line
// pointers, and a file of pg_multixact is cut short. From then on the server
// dies at every start with "PANIC: invalid lp", signal 6, and its restart
// policy starts it again.
//
// Nothing is simulated: row locks are held by concurrent sessions, so that the
// multixacts are real, and [Break] returns only when the server has been seen
// to die that way. What should have survived is known from an undamaged twin of
// the same volume ([Broken.Truth]).
package demo
