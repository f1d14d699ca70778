package agent

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// child starts this test binary as an agent.
func child(t testing.TB) *Process {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(exe)
	cmd.Env = append(os.Environ(), "PGRESCUE_TEST_AGENT=1")
	cmd.Stderr = os.Stderr
	p, err := StartProcess(cmd)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close() })
	return p
}

func TestCallOverBothConns(t *testing.T) {
	dir := t.TempDir()
	write(t, dir+"/a\xff", []byte("content"))
	write(t, dir+"/global/b", []byte("more"))
	src := []Piece{{Name: "data", Path: dir}}
	for name, conn := range map[string]Conn{"in process": InProcess(context.Background()), "child": child(t)} {
		t.Run(name, func(t *testing.T) {
			defer conn.Close()
			dst := emptyLike(t, src)
			var records []Record
			progress := 0
			res, err := Call[CopyRequest, CopyResult](context.Background(), conn, JobCopy, CopyRequest{Source: src, Dest: dst},
				func(Progress) { progress++ }, Each(func(r Record) error { records = append(records, r); return nil }))
			if err != nil {
				t.Fatal(err)
			}
			if res.Files != 2 || len(records) != 4 || progress == 0 {
				t.Errorf("files %d, records %d, progress %d", res.Files, len(records), progress)
			}
			mustEqual(t, dst, records)
			if code, err := conn.(Exiter).ExitCode(); code != 0 || err != nil {
				t.Errorf("exit code %d %v", code, err)
			}
		})
	}
}

func TestCallWithInput(t *testing.T) {
	dir := t.TempDir()
	for i := range 3000 {
		write(t, fmt.Sprintf("%s/f%04d", dir, i), []byte{byte(i)})
	}
	src := []Piece{{Name: "data", Path: dir}}
	_, records := mustCopy(t, CopyRequest{Source: src, Dest: emptyLike(t, src)})
	conn := child(t)
	res, err := CallWithInput[CompareRequest, CompareResult](context.Background(), conn, JobCompare, CompareRequest{Pieces: src}, RecordsOf(records), nil, nil)
	if err != nil || !res.Equal || res.Files != 3000 {
		t.Errorf("%+v %v", res, err)
	}
}

func TestCallErrors(t *testing.T) {
	call := func(conn Conn, job string, req any) error {
		_, err := Call[any, json.RawMessage](context.Background(), conn, job, req, nil, nil)
		return err
	}
	t.Run("unknown job", func(t *testing.T) {
		conn := child(t)
		kindIs(t, call(conn, "dance", nil), KindBadRequest)
		if code, _ := conn.ExitCode(); code != exitBadRequest {
			t.Errorf("exit code %d", code)
		}
	})
	t.Run("unknown field", func(t *testing.T) {
		kindIs(t, call(InProcess(context.Background()), JobLook, map[string]any{"peices": 1}), KindBadRequest)
	})
	t.Run("missing directory", func(t *testing.T) {
		conn := child(t)
		err := call(conn, JobLook, LookRequest{Pieces: []Piece{{Name: "data", Path: "/no/such"}}})
		if e := kindIs(t, err, KindNotFound); e.Hint == "" || e.Path == "" {
			t.Errorf("hint %q path %q", e.Hint, e.Path)
		}
		if code, _ := conn.ExitCode(); code != exitFailed {
			t.Errorf("exit code %d", code)
		}
	})
	t.Run("agent dies", func(t *testing.T) {
		cmd := exec.Command("sh", "-c", "read line; kill -9 $$")
		p, err := StartProcess(cmd)
		if err != nil {
			t.Fatal(err)
		}
		defer p.Close()
		err = call(p, JobLook, nil)
		if e := kindIs(t, err, KindLost); !strings.Contains(e.Message, "exit code -1") {
			t.Errorf("%v", err)
		}
	})
	t.Run("not an agent", func(t *testing.T) {
		p, err := StartProcess(exec.Command("sh", "-c", "read line; echo exec format error"))
		if err != nil {
			t.Fatal(err)
		}
		defer p.Close()
		kindIs(t, call(p, JobLook, nil), KindLost)
	})
	t.Run("receiver of records fails", func(t *testing.T) {
		dir := t.TempDir()
		write(t, dir+"/a", nil)
		src := []Piece{{Name: "data", Path: dir}}
		full := errors.New("journal is full")
		_, err := Call[CopyRequest, CopyResult](context.Background(), child(t), JobCopy, CopyRequest{Source: src, Dest: emptyLike(t, src)},
			nil, func(json.RawMessage) error { return full })
		// The job may be over before the agent hears of it; then it ended well.
		if err != nil && !errors.Is(err, full) {
			t.Errorf("%v", err)
		}
	})
}

// slowSource is a tree that takes a while to copy.
func slowSource(t *testing.T) []Piece {
	dir := t.TempDir()
	for i := range 6 {
		f, err := os.Create(fmt.Sprintf("%s/big%d", dir, i))
		if err != nil {
			t.Fatal(err)
		}
		if err := f.Truncate(4 << 30); err != nil { // holes: only hashing takes time
			t.Fatal(err)
		}
		f.Close()
	}
	return []Piece{{Name: "data", Path: dir}}
}

func TestCancelStopsTheJob(t *testing.T) {
	src := slowSource(t)
	ctx, cancel := context.WithCancel(context.Background())
	conn := child(t)
	began := time.Now()
	_, err := Call[CopyRequest, CopyResult](ctx, conn, JobCopy, CopyRequest{Source: src, Dest: emptyLike(t, src)},
		func(p Progress) {
			if p.Phase == "copy" && p.Bytes > 0 {
				cancel()
			}
		}, nil)
	if !errors.Is(err, context.Canceled) {
		t.Fatalf("%v, want cancelled", err)
	}
	if code, _ := conn.ExitCode(); code != exitFailed {
		t.Errorf("exit code %d", code)
	}
	if d := time.Since(began); d > 8*time.Second {
		t.Errorf("took %v", d)
	}
}

func TestAgentStopsWhenTheCallerDies(t *testing.T) {
	src := slowSource(t)
	conn := child(t)
	line, err := encodeLine(request{Job: JobCopy, Request: json.RawMessage(toJSON(t, CopyRequest{Source: src, Dest: emptyLike(t, src)}))})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Write(line); err != nil {
		t.Fatal(err)
	}
	b := make([]byte, 10)
	if _, err := io.ReadFull(conn, b); err != nil {
		t.Fatal(err)
	}
	conn.CloseWrite()
	rest, err := io.ReadAll(conn)
	if err != nil {
		t.Fatal(err)
	}
	contains(t, string(rest), `"kind":"cancelled"`)
	contains(t, string(rest), "the caller went away")
}

// The end of input must be seen even while records that nobody reads are in the way.
func TestAgentSeesHangupBehindUnreadInput(t *testing.T) {
	src := slowSource(t)
	conn := child(t)
	line, _ := encodeLine(request{Job: JobCompare, Input: true, Request: json.RawMessage(toJSON(t, CompareRequest{Pieces: src}))})
	rec := Record{Piece: "data", Path: "big0", Type: TypeFile, Size: 4 << 30}
	go func() {
		conn.Write(line)
		b, _ := encodeLine(inputLine{Record: &rec})
		conn.Write(bytes.Repeat(b, 2000)) // ends when the agent does
	}()
	time.Sleep(300 * time.Millisecond)
	began := time.Now()
	conn.CloseWrite()
	io.Copy(io.Discard, conn)
	if code, _ := conn.ExitCode(); code != exitFailed || time.Since(began) > 5*time.Second {
		t.Errorf("exit code %d after %v", code, time.Since(began))
	}
}

func TestServeRecoversFromDefects(t *testing.T) {
	j := Job{Name: "defect", run: func(context.Context, json.RawMessage, *Stream) (any, error) { panic("index out of range") }}
	var stderr bytes.Buffer
	_, err := runJob(context.Background(), j, nil, nil, &stderr)
	kindIs(t, err, KindInternal)
	contains(t, stderr.String(), "goroutine")
}

func TestPathJSON(t *testing.T) {
	for _, p := range []Path{"a", "", "ümlaut", "a\"b\n", "\xff\xfe", "a\x00b", "{\"hex\":\"61\"}"} {
		var got Path
		if err := json.Unmarshal([]byte(toJSON(t, p)), &got); err != nil || got != p {
			t.Errorf("%q came back as %q, %v", p, got, err)
		}
	}
}

func TestPathLocal(t *testing.T) {
	for p, want := range map[Path]bool{".": true, "a/b": true, "": false, "/a": false, "a/../b": false, "..": false, "a//b": false, "a/": false, "./a": false, "a\x00": false} {
		if p.Local() != want {
			t.Errorf("%q local: %v, want %v", p, p.Local(), want)
		}
	}
}

func FuzzPathJSON(f *testing.F) {
	f.Add("plain")
	f.Add("\xff{\"hex\"}")
	f.Fuzz(func(t *testing.T, s string) {
		b, err := json.Marshal(Path(s))
		if err != nil {
			t.Fatal(err)
		}
		var got Path
		if err := json.Unmarshal(b, &got); err != nil || string(got) != s {
			t.Fatalf("%q came back as %q through %s: %v", s, got, b, err)
		}
	})
}

// Whatever is sent, the agent answers with a last line that says what happened, and the
// requests of the fuzzer name no directory.
func FuzzRequest(f *testing.F) {
	f.Add([]byte(`{"job":"look","request":{"pieces":[]}}`))
	f.Add([]byte(`{"job":"copy","request":{"source":[{"name":"a","path":"b"}]},"input":true}` + "\n" + `{"record":{"piece":"a"}}` + "\n" + `{"end":true}`))
	f.Add([]byte(`{"job":"patch","request":{"changes":[{"op":"write","path":"../x","after":"AAAA"}]}}`))
	f.Add([]byte(`{"job":"read","request":null}`))
	f.Fuzz(func(t *testing.T, line []byte) {
		if bytes.Contains(line, []byte(`/`)) { // never let it find real directories
			return
		}
		var out bytes.Buffer
		code := Serve(context.Background(), bytes.NewReader(append(line, '\n')), &out, io.Discard)
		lines := bytes.Split(bytes.TrimSpace(out.Bytes()), []byte("\n"))
		var last answer
		if err := json.Unmarshal(lines[len(lines)-1], &last); err != nil {
			t.Fatalf("last line %q: %v", lines[len(lines)-1], err)
		}
		if (code == 0) != (last.Result != nil) || (code != 0) != (last.Error != nil) {
			t.Fatalf("exit code %d with %s", code, lines[len(lines)-1])
		}
		if last.Error != nil && last.Error.Kind == KindInternal {
			t.Fatalf("defect: %v", last.Error)
		}
	})
}
