// Package values turns the columns of a heap tuple into text, as the output functions of
// their types do, without a server.
//
// A value is the bytes that lie in the tuple: of a fixed-width type typlen bytes, of a
// varlena the header and all, however short, compressed or external it is (varatt.h). A
// value that cannot be read is an error that names the type and the reason; nothing is
// guessed. Values come from damaged files: every length is bounded, every offset checked.
//
// Deformer finds the values in a tuple, NewText and NewJSON make Printers of them. What is
// printed is what COPY and row_to_json print in a session with DateStyle ISO, IntervalStyle
// postgres, bytea_output hex, extra_float_digits 1 and lc_monetary C.
package values
