package ui

import (
	"os"
	"strings"
	"time"

	"github.com/pgrescue/pgrescue/steps/engine"
)

// Options of a front end. The zero value works.
type Options struct {
	Actor        string // user@host of the person here, for the journal
	Version      string // of the program
	RehearseOnly bool   // the run ends before anything is performed: see unattended
	Times        bool   // plain: begin each line with its UTC time
	AttachHint   string // the command that attaches again, "pgrescue attach 20260101T021407Z-db"
	ResumeHint   string // the command that resumes when the engine is gone
	Dir          string // incident directory, to say where logs and copies are; may be empty

	NoColor bool // keep bold and reverse, drop colour (NO_COLOR)
	ASCII   bool // no byte above 0x7e is written by the frame (locale is not UTF-8)
	Dumb    bool // no attributes at all (TERM=dumb)

	// Interrupts delivers ctrl-c to Plain and JSON: the first asks the engine to stop as
	// soon as that is safe, the second leaves it running and returns.
	Interrupts <-chan os.Signal

	Now func() time.Time // time.Now where nil
}

// FromEnv fills NoColor, ASCII and Dumb from the environment.
func (o Options) FromEnv(getenv func(string) string) Options {
	if getenv("NO_COLOR") != "" {
		o.NoColor = true
	}
	if term := getenv("TERM"); term == "dumb" || term == "" {
		o.Dumb = true
	}
	locale := getenv("LC_ALL")
	if locale == "" {
		locale = getenv("LC_CTYPE")
	}
	if locale == "" {
		locale = getenv("LANG")
	}
	locale = strings.ToLower(strings.ReplaceAll(locale, "-", ""))
	if !strings.Contains(locale, "utf8") {
		o.ASCII = true
	}
	return o
}

// PreferPlain reports an environment in which the full screen is no help: TERM=dumb or
// unset, or ACCESSIBLE set for a screen reader.
func PreferPlain(getenv func(string) string) bool {
	term := getenv("TERM")
	return term == "" || term == "dumb" || getenv("ACCESSIBLE") != ""
}

func (o Options) now() time.Time {
	if o.Now != nil {
		return o.Now()
	}
	return time.Now()
}

func (o Options) attachHint() string {
	if o.AttachHint != "" {
		return o.AttachHint
	}
	return "pgrescue attach"
}

func (o Options) resumeHint() string {
	if o.ResumeHint != "" {
		return o.ResumeHint
	}
	return "pgrescue resume"
}

// Exit says how a front end ended.
type Exit struct {
	Code     int            // for os.Exit
	Detached bool           // the engine goes on
	Closed   *engine.Closed // how the run ended; nil when it has not
	Message  string         // for the person, to be printed after the screen is gone; may be empty
	Mute     bool           // the terminal takes nothing any more: printing to it would hang
}

// detached is the exit of a front end that leaves the engine to itself.
func (o Options) detached() Exit {
	return Exit{Detached: true, Message: "Detached. The engine goes on. Attach again with: " + o.attachHint()}
}

// closed is the exit of a run that has ended.
func closed(c *engine.Closed) Exit { return Exit{Code: c.Exit, Closed: c} }

// gone is the exit when the line ended without a word from the engine.
func (o Options) gone(v engine.View) Exit {
	e := Exit{Code: engine.Failure.Exit()}
	e.Message = "The engine has ended without finishing. Nothing that it journaled is lost. Go on with: " + o.resumeHint()
	if writing(v) {
		e.Code = engine.Unknown.Exit()
		e.Message = "The engine has ended while it was writing the original: the outcome is UNKNOWN. " +
			"Start nothing on it. Look again with: " + o.resumeHint()
	}
	return e
}

// writing reports an effect on the original that has begun and not ended.
func writing(v engine.View) bool {
	if v.Original == engine.Writing || v.Original == engine.Uncertain {
		return true
	}
	for _, r := range v.Rows {
		if (r.Act == engine.Performance || r.Act == engine.Undo) &&
			(r.State == engine.Applying || r.State == engine.Unsure) {
			return true
		}
	}
	return false
}
