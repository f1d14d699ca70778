// Package drop tests that an incident survives what happens to the people and machines
// around it: lines that drop, processes that are killed, a Docker daemon that goes away,
// terminals of every size. It runs the built program against real containers and holds
// tests and their helpers only.
package drop
