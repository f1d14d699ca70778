// Package inspect prints what the native readers find in the files of a cluster, as text for
// people and as JSON.
package inspect
