package unload

import (
	"runtime"
	"strconv"
	"time"

	"github.com/pgrescue/pgrescue/pgops/catalog"
)

// Options say what to write and how.
type Options struct {
	Dir       string         // output directory: empty, new, or of a run to go on with
	Format    Format         //
	Databases []Pattern      // names of databases; none means all
	Tables    []Pattern      // none means all
	Dead      bool           // write rows that are not visible too, to files of their own
	System    bool           // write the system catalogs too
	NoXact    bool           // go by hint bits alone, as if pg_xact and the multixacts were lost
	Location  *time.Location // TimeZone of timestamps with time zone; nil is UTC
	TimeZone  string         // its name
	Jobs      int            // chunks printed at a time; 0 is one for each CPU

	Progress      func(Progress) // told now and then; may be nil
	ProgressEvery time.Duration
}

func (o *Options) jobs() int {
	if o.Jobs > 0 {
		return o.Jobs
	}
	return runtime.GOMAXPROCS(0)
}

// id is what of the options decides the output.
func (o *Options) id() OptionsID {
	id := OptionsID{Format: o.Format, Dead: o.Dead, System: o.System, NoXact: o.NoXact, TimeZone: o.TimeZone}
	if id.TimeZone == "" {
		id.TimeZone = "UTC"
	}
	for _, p := range o.Databases {
		id.Databases = append(id.Databases, p.String())
	}
	for _, p := range o.Tables {
		id.Tables = append(id.Tables, p.String())
	}
	return id
}

// wants reports whether a table was chosen.
func (o *Options) wants(schema, name string) bool {
	if len(o.Tables) == 0 {
		return true
	}
	for _, p := range o.Tables {
		if p.Match(schema, name) {
			return true
		}
	}
	return false
}

// wantsDatabase reports whether a database was chosen, by its name or its OID: the row that
// has the name may be lost.
func (o *Options) wantsDatabase(info catalog.DatabaseInfo) bool {
	if len(o.Databases) == 0 {
		return true
	}
	for _, p := range o.Databases {
		if p.anySchema && (matchGlob(p.name, info.Name) || p.text == strconv.FormatUint(uint64(info.OID), 10)) {
			return true
		}
	}
	return false
}
