// Smoke shows a made-up incident on a real terminal. The tests drive it through tmux; it
// is also how one looks at the screens.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"time"

	"github.com/pgrescue/pgrescue/ui"
	"github.com/pgrescue/pgrescue/ui/internal/stage"
)

func main() {
	script := flag.String("script", "crash-loop", "crash-loop, rehearse, busy, panic or pick")
	face := flag.String("ui", "tui", "tui or plain")
	pace := flag.Duration("pace", 20*time.Millisecond, "time between events")
	vanish := flag.Int64("vanish", 0, "end the engine after this event")
	flag.Parse()
	os.Exit(run(*script, *face, *pace, *vanish))
}

func run(script, face string, pace time.Duration, vanish int64) int {
	ctx := context.Background()
	opts := ui.Options{Actor: "alice@bastion", Version: "1.0.0", Dir: os.Getenv("SMOKE_DIR")}.FromEnv(os.Getenv)
	if script == "pick" {
		name, ok, err := ui.Pick(ctx, candidates(), opts)
		fmt.Printf("picked %q %v %v\n", name, ok, err)
		return 0
	}
	scripts := map[string]func(*stage.Play){"crash-loop": stage.CrashLoop, "rehearse": stage.RehearseOnly, "busy": stage.Busy, "panic": stage.Panic}
	p := stage.New(scripts[script])
	p.Pace, p.Vanish, p.Live = pace, vanish, true
	var exit ui.Exit
	var err error
	if face == "plain" {
		exit, err = ui.Plain(ctx, p, os.Stdin, os.Stdout, ui.Answers{}, opts)
	} else {
		exit, err = ui.TUI(ctx, p, opts)
	}
	if exit.Mute {
		return exit.Code
	}
	if exit.Message != "" {
		fmt.Println(exit.Message)
	}
	if err != nil {
		fmt.Println("error:", err)
	}
	fmt.Printf("exit %d\n", exit.Code)
	return exit.Code
}

func candidates() []ui.Candidate {
	return []ui.Candidate{
		{Name: "container:web", Kind: "container", Image: "postgres:17", State: "running, up 3 days"},
		{Name: "container:db", Kind: "container", Image: "postgres:15.18", State: "restarting, 41 times", Crashing: true, Detail: "volume db-data, exit code 134"},
		{Name: "volume:old-data", Kind: "volume", State: "not in use", Detail: "PostgreSQL 13"},
	}
}
