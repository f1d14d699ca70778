// Package catalog reads the dictionary of a cluster that cannot start from its bytes: databases,
// schemas, relations with their files, columns and types, chosen by MVCC from pg_xact, and by
// hint bits where that is lost.
package catalog
