// Package unload writes the rows of tables, read from the files of a cluster without a server,
// as COPY text, CSV or JSON lines. It never writes to the cluster, and can go on where it stopped.
package unload
