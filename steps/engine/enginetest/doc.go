// Package enginetest is a world without PostgreSQL and Docker for the engine's tests: data
// that is a map in memory, a workspace on it, a log in memory, a toy playbook with a step
// of every part, and an operator who answers.
//
// Faults are injected by number: the nth effect can fail before or after it took place,
// and the engine can be killed at the nth effect or behind the nth event. A killed engine
// does nothing more, as after kill -9: its goroutine ends where it stands.
package enginetest
