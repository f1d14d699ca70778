package pgops

import (
	"errors"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
)

// judgeError turns the error that ended a check into a result: FAIL where the data is at
// fault, COULD NOT CHECK where the circumstances are. What is not known to be harmless fails.
func judgeError(err error) (result, detail string) {
	var hang *hangError
	if errors.As(err, &hang) {
		if !hang.lockLimit && (hang.stubborn || hang.waits.blocked()) {
			return checkFailed, hang.Error()
		}
		return checkUnknown, hang.Error()
	}
	var pg *pgconn.PgError
	if !errors.As(err, &pg) || len(pg.Code) != 5 {
		return checkUnknown, err.Error()
	}
	detail = withoutValues(pg)
	if circumstance(pg) {
		return checkUnknown, detail
	}
	return checkFailed, detail
}

// withoutValues is the server's message where that cannot show a value of a row.
func withoutValues(pg *pgconn.PgError) string {
	code := " [" + pg.Code + "]"
	switch class := pg.Code[:2]; {
	case class == "22" && pg.Code != "22021", class == "P0":
		return "a value cannot be read or computed" + code // the message quotes it
	case class == "23", pg.Detail == "":
		return pg.Message + code // the detail of a duplicate key shows the key
	}
	return pg.Message + code + ": " + pg.Detail
}

// circumstance reports whether an error says nothing about the data (utils/errcodes.txt).
func circumstance(pg *pgconn.PgError) bool {
	if missingLibrary(pg) {
		return true
	}
	switch pg.Code[:2] {
	case "08", // connection
		"0A", // feature not supported
		"28", // authorization
		"40", // rolled back for another one
		"42", // unknown function, no privilege, syntax: the statement is at fault
		"53", // no memory, no disk, no connection left
		"54", // a limit
		"55", // locked, or not in the right state
		"57", // stopped by somebody, shutting down, starting up
		"F0": // configuration file
		return pg.Code != "42P17" // invalid_object_definition comes from damaged catalogs
	}
	return false
}

// missingLibrary tells a missing extension library from a missing data file; both are
// undefined_file (utils/fmgr/dfmgr.c). Libraries that only work when they are preloaded say so
// in words of their own; the sandbox preloads none.
func missingLibrary(pg *pgconn.PgError) bool {
	return strings.Contains(pg.Message, "$libdir/") || strings.HasPrefix(pg.Message, "could not load library") ||
		strings.Contains(pg.Message, "preload") || strings.HasPrefix(pg.Message, "could not access file") || strings.HasPrefix(pg.Message, "incompatible library")
}

// startingUp reports whether a connection failed because the server is on its way down or up.
func startingUp(err error) bool {
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		return pg.Code == "57P03" || pg.Code == "57P02" || pg.Code == "57P01"
	}
	return true // the socket is not there, or closed without an answer
}
