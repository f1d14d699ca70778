package journal

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"

	"github.com/pgrescue/pgrescue/steps/engine"
)

const journalName = "journal.jsonl"

// Journal is an incident opened for writing. One process at a time can hold it.
type Journal struct {
	dir    Dir
	lock   *os.File
	redact *redactor

	mu   sync.Mutex
	file *os.File
	size int64
	prev string // hash of the last line
	bad  error  // set once a line could not be taken back
}

var _ engine.Log = (*Journal)(nil)

// Open locks the incident, checks the chain and returns what happened so far. A torn last
// line, which nobody was told about, is moved to a file beside the journal.
func Open(dir Dir) (*Journal, []engine.Event, error) {
	lock, err := acquire(dir)
	if err != nil {
		return nil, nil, err
	}
	j, events, err := open(dir, lock)
	if err != nil {
		lock.Close()
		return nil, nil, err
	}
	return j, events, nil
}

func open(dir Dir, lock *os.File) (*Journal, []engine.Event, error) {
	file, err := os.OpenFile(dir.Path(journalName), os.O_RDWR|os.O_CREATE|syscall.O_NOFOLLOW, 0o600)
	if err != nil {
		return nil, nil, fmt.Errorf("journal: %w", err)
	}
	replayed, err := replay(file)
	if err != nil {
		file.Close()
		return nil, nil, err
	}
	if len(replayed.Torn) > 0 {
		aside := dir.Path(fmt.Sprintf("journal.torn-%d", replayed.Size))
		if err := os.WriteFile(aside, replayed.Torn, 0o600); err != nil {
			file.Close()
			return nil, nil, fmt.Errorf("setting a torn last line aside: %w", err)
		}
		if err := file.Truncate(replayed.Size); err != nil {
			file.Close()
			return nil, nil, fmt.Errorf("journal: %w", err)
		}
	}
	if err := errors.Join(file.Sync(), syncDir(string(dir))); err != nil {
		file.Close()
		return nil, nil, fmt.Errorf("journal: %w", err)
	}
	return &Journal{dir: dir, lock: lock, redact: newRedactor(), file: file, size: replayed.Size, prev: replayed.Head}, replayed.Events, nil
}

// acquire takes the incident's lock and writes the holder's pid into it.
func acquire(dir Dir) (*os.File, error) {
	f, err := os.OpenFile(dir.Path("lock"), os.O_RDWR|os.O_CREATE|syscall.O_NOFOLLOW, 0o600)
	if err != nil {
		return nil, fmt.Errorf("lock: %w", err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		holder, _ := os.ReadFile(dir.Path("lock"))
		f.Close()
		return nil, engine.Errorf(engine.Locked, "pgrescue attach shows it", "incident %s is being worked on by process %s", dir.ID(), strings.TrimSpace(string(holder)))
	}
	if err := errors.Join(f.Truncate(0), writeAt(f, strconv.Itoa(os.Getpid())+"\n")); err != nil {
		f.Close()
		return nil, fmt.Errorf("lock: %w", err)
	}
	return f, nil
}

// Held reports whether a process holds the incident's lock.
func Held(dir Dir) bool {
	f, err := os.OpenFile(dir.Path("lock"), os.O_RDWR, 0)
	if err != nil {
		return false
	}
	defer f.Close()
	return syscall.Flock(int(f.Fd()), syscall.LOCK_SH|syscall.LOCK_NB) != nil
}

func writeAt(f *os.File, s string) error {
	_, err := f.WriteAt([]byte(s), 0)
	return err
}

// Append writes the event and returns once it is on disk, secrets already removed. After an
// error the journal holds what it held before.
func (j *Journal) Append(e engine.Event) (engine.Event, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.bad != nil {
		return e, j.bad
	}
	e.Prev = j.prev
	e.Data = j.redact.json(e.Data)
	line, err := json.Marshal(e)
	if err != nil {
		return e, fmt.Errorf("journal: %w", err)
	}
	line = append(line, '\n')
	if _, err = j.file.WriteAt(line, j.size); err == nil {
		err = j.file.Sync()
	}
	if err != nil {
		if undo := j.file.Truncate(j.size); undo != nil {
			j.bad = fmt.Errorf("journal is torn: %w", errors.Join(err, undo))
		}
		return e, fmt.Errorf("journal: %w", err)
	}
	j.size += int64(len(line))
	j.prev = hash(line)
	return e, nil
}

// Head is the hash of the latest line. Quoted elsewhere, it shows a journal that was cut.
func (j *Journal) Head() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.prev
}

// Keep saves what a command printed under commands/, named after the intent and program.
func (j *Journal) Keep(id, what string, argv []string, printed engine.Output) (string, error) {
	if err := os.MkdirAll(j.dir.Path("commands"), 0o700); err != nil {
		return "", err
	}
	name := what
	if len(argv) > 0 {
		name = filepath.Base(argv[0])
	}
	stem := filepath.Join("commands", id+"-"+slug(name))
	args, err := json.Marshal(argv)
	if err != nil {
		return "", err
	}
	for ext, b := range map[string][]byte{".argv": append(j.redact.json(args), '\n'), ".stdout": j.redact.text(printed.Stdout), ".stderr": j.redact.text(printed.Stderr)} {
		if err := os.WriteFile(j.dir.Path(stem+ext), b, 0o600); err != nil {
			return "", err
		}
	}
	return stem + ".stdout", nil
}

// Close gives the lock up.
func (j *Journal) Close() error { return errors.Join(j.file.Close(), j.lock.Close()) }

func hash(line []byte) string {
	sum := sha256.Sum256(line)
	return hex.EncodeToString(sum[:])
}
