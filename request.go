package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/user"
	"strings"

	"github.com/pgrescue/pgrescue/steps/engine"
	"github.com/pgrescue/pgrescue/steps/journal"
)

// request is what the front end hands to a new incident's engine, in request.json. It
// holds no secret.
type request struct {
	Playbook string         `json:"playbook"`
	Target   string         `json:"target"`
	Actor    string         `json:"actor"`
	Options  engine.Options `json:"options"`
}

const requestName = "request.json"

func (r request) save(dir journal.Dir) error {
	b, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(dir.Path(requestName), append(b, '\n'), 0o600)
}

func loadRequest(dir journal.Dir) (request, error) {
	var r request
	b, err := os.ReadFile(dir.Path(requestName))
	if err != nil {
		return r, fmt.Errorf("incident %s: %w", dir.ID(), err)
	}
	if err := json.Unmarshal(b, &r); err != nil {
		return r, fmt.Errorf("incident %s: %s: %w", dir.ID(), requestName, err)
	}
	return r, nil
}

// actor names the person at the keyboard: the login name behind sudo where there is one.
func actor() string {
	name := os.Getenv("SUDO_USER")
	if name == "" {
		if u, err := user.Current(); err == nil {
			name = u.Username
		}
	}
	return name + "@" + shortHost()
}

// shortHost is the host's name up to the first dot.
func shortHost() string {
	host, err := os.Hostname()
	if err != nil || host == "" {
		return "localhost"
	}
	short, _, _ := strings.Cut(host, ".")
	return short
}
