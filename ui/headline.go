package ui

import (
	"encoding/json"
	"strings"

	"github.com/pgrescue/pgrescue/steps/engine"
)

// Headline is what the header says of the target. A step publishes it as the fact named
// "headline"; sizes are for people ("371 MB").
type Headline struct {
	Target   string `json:"target"`
	Image    string `json:"image"`
	Volume   string `json:"volume"`
	Size     string `json:"size"`
	SystemID string `json:"system_id"`
	Host     string `json:"host"`
	Version  string `json:"version"`
}

// headline reads the fact, falling back to what the incident was opened with.
func headline(v engine.View) Headline {
	var h Headline
	if raw, ok := v.Fact(v.Act, "headline"); ok {
		if json.Unmarshal(raw, &h) != nil {
			h = Headline{} // the header is no place to fail
		}
	}
	if h.Target == "" {
		h.Target = v.Opened.Target
	}
	if h.Host == "" {
		h.Host = v.Opened.Host
	}
	return h
}

// parts are the header's facts, the most telling first.
func (h Headline) parts() []string {
	var parts []string
	add := func(s string) {
		if s = cleanLine(s); s != "" {
			parts = append(parts, s)
		}
	}
	add(h.Target)
	add(h.Image)
	if h.Image == "" && h.Version != "" {
		add("PostgreSQL " + h.Version)
	}
	if h.Volume != "" && !strings.HasSuffix(h.Target, ":"+h.Volume) {
		add("volume " + h.Volume)
	}
	add(h.Size)
	return parts
}
