// Package values turns the columns of a heap tuple into text, as the output functions of
// their types do, without a server.
//
// A value is the bytes that lie in the tuple: of a fixed-width type typlen bytes, of a
// varlena the header and all, however short, compressed or external it is (varatt.h). A
// value that cannot be read is an error that names the type and the reason; nothing is
// guessed. Values come from damaged files: every length is bounded, every offset checked.
package values
