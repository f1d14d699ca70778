package agent

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// echo serves one unix socket that sends back what it gets.
func echo(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "s")
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				io.Copy(c, c)
				c.Close()
			}()
		}
	}()
	return path
}

func TestTunnelCarriesBytes(t *testing.T) {
	c, err := DialTunnel(context.Background(), child(t), echo(t))
	if err != nil {
		t.Fatal(err)
	}
	sent := make([]byte, 5<<20)
	rand.Read(sent)
	go c.Write(sent)
	got := make([]byte, len(sent))
	if _, err := io.ReadFull(c, got); err != nil || !bytes.Equal(got, sent) {
		t.Fatalf("bytes differ, %v", err)
	}
	c.SetReadDeadline(time.Now().Add(20 * time.Millisecond))
	if _, err := c.Read(got); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("deadline: %v", err)
	}
	if err := c.Close(); err != nil {
		t.Error(err)
	}
}

func TestTunnelEndsWithTheCaller(t *testing.T) {
	conn := child(t)
	c, err := DialTunnel(context.Background(), conn, echo(t))
	if err != nil {
		t.Fatal(err)
	}
	c.Close()
	if code, err := conn.ExitCode(); code != 0 || err != nil {
		t.Errorf("exit code %d, %v", code, err)
	}
}

func TestTunnelWithoutServer(t *testing.T) {
	_, err := DialTunnel(context.Background(), child(t), "/no/such/socket")
	if e := kindIs(t, err, KindNotFound); e.Hint == "" {
		t.Error("no hint")
	}
}

func TestTunnelToPostgreSQL(t *testing.T) {
	f := cluster(t)
	target := cloneOf(t, f.source())
	run := t.TempDir()
	for p := run; p != "/tmp" && p != "/"; p = filepath.Dir(p) {
		os.Chmod(p, 0o755)
	}
	for p := target[0].Path; p != "/tmp" && p != "/"; p = filepath.Dir(p) {
		if p != target[0].Path {
			os.Chmod(p, 0o755)
		}
	}
	if out, err := exec.Command("chown", "postgres", run).CombinedOutput(); err != nil {
		t.Fatalf("%v %s", err, out)
	}
	ctl := func(args string) {
		t.Helper()
		if out, err := exec.Command("su", "postgres", "-c", f.bin+"/pg_ctl -s -w -D "+target[0].Path+" "+args).CombinedOutput(); err != nil {
			t.Fatalf("%v %s", err, out)
		}
	}
	// Of the clone's tablespace link only the name is used: the server replays over it.
	link := filepath.Join(target[0].Path, "pg_tblspc", f.oid)
	if err := errors.Join(os.Remove(link), os.Symlink(target[1].Path, link)); err != nil {
		t.Fatal(err)
	}
	ctl("-l " + run + "/log -o '-c listen_addresses= -c fsync=off -k " + run + "' start")
	defer ctl("-m immediate stop")
	cfg, err := pgx.ParseConfig("host=" + run + " user=postgres dbname=postgres sslmode=disable")
	if err != nil {
		t.Fatal(err)
	}
	cfg.DialFunc = func(ctx context.Context, _, _ string) (net.Conn, error) {
		return DialTunnel(ctx, child(t), run+"/.s.PGSQL.5432")
	}
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	db, err := pgx.ConnectConfig(ctx, cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close(ctx)
	var n int
	if err := db.QueryRow(ctx, "select count(*) from t").Scan(&n); err != nil || n != 25000 {
		t.Errorf("%d rows, %v", n, err)
	}
	short, stop := context.WithTimeout(ctx, 100*time.Millisecond)
	defer stop()
	began := time.Now()
	if _, err := db.Exec(short, "select pg_sleep(30)"); err == nil || time.Since(began) > 5*time.Second {
		t.Errorf("a query was not cancelled: %v after %v", err, time.Since(began))
	}
}
