package ui

import (
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/charmbracelet/x/ansi"
)

// copier puts text on the clipboard of the terminal in front of the person, over whatever
// line lies between: OSC 52. No answer comes back, so the text is also kept in a file
// where there is a place for it.
type copier struct {
	out  io.Writer // shared with the frames, so that neither cuts the other in two
	tmux bool      // TMUX is set: wrap it so that tmux lets it pass
}

// maxCopy is what terminals commonly accept in one sequence, before encoding.
const maxCopy = 50_000

// clipName is where copied text is kept in the incident directory.
const clipName = "clip.txt"

func (c copier) copy(text, dir string) copiedMsg {
	if len(text) > maxCopy {
		text = text[:maxCopy]
	}
	words := fmt.Sprintf("Copied by OSC 52, if the terminal allows it: %s", count(len(text), "byte"))
	if c.out != nil {
		seq := ansi.SetSystemClipboard(text)
		if c.tmux {
			// Once as is, for set-clipboard on; once for allow-passthrough on.
			seq += ansi.TmuxPassthrough(seq)
		}
		if _, err := io.WriteString(c.out, seq); err != nil {
			return copiedMsg{"Not copied: " + err.Error(), err}
		}
	}
	if dir == "" {
		return copiedMsg{words + ".", nil}
	}
	path := filepath.Join(dir, clipName)
	if err := os.WriteFile(path, []byte(text+"\n"), 0o600); err != nil {
		return copiedMsg{words + "; not kept in a file: " + cleanLine(err.Error()), err}
	}
	return copiedMsg{words + ". Also in " + path, nil}
}
