package drop

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// sshd is a real SSH server on loopback with keys and configuration of its own.
type sshd struct {
	dir  string
	port string
}

func startSSHD(t *testing.T) sshd {
	t.Helper()
	const program = "/usr/sbin/sshd" // which insists on an absolute path
	if _, err := os.Stat(program); err != nil {
		t.Skipf("SKIP-REASON: no SSH server: %v; run hack/test-deps.sh", err)
	}
	if os.Geteuid() != 0 {
		t.Skip("SKIP-REASON: an SSH server that lets root in must be started by root")
	}
	// Where systemd has not made it; sshd will not run without.
	if err := os.MkdirAll("/run/sshd", 0o755); err != nil {
		t.Fatal(err)
	}
	s := sshd{dir: t.TempDir(), port: freePort(t)}
	for _, key := range []string{"host", "client"} {
		if out, err := exec.Command("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", s.path(key)).CombinedOutput(); err != nil {
			t.Fatalf("ssh-keygen: %v\n%s", err, out)
		}
	}
	config := fmt.Sprintf("Port %s\nListenAddress 127.0.0.1\nHostKey %s\nAuthorizedKeysFile %s\nPidFile none\n"+
		"PermitRootLogin prohibit-password\nPasswordAuthentication no\nUsePAM no\nStrictModes no\n",
		s.port, s.path("host"), s.path("client.pub"))
	if err := os.WriteFile(s.path("config"), []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	log := &safeBuffer{}
	cmd := exec.Command(program, "-D", "-e", "-f", s.path("config"))
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		_ = cmd.Wait()
		if t.Failed() {
			t.Logf("sshd said:\n%s", log)
		}
	})
	until(t, 10*time.Second, "sshd to listen", func() bool {
		conn, err := net.Dial("tcp", "127.0.0.1:"+s.port)
		if err != nil {
			return false
		}
		conn.Close()
		return true
	})
	return s
}

func (s sshd) path(name string) string { return filepath.Join(s.dir, name) }

// command is a login that runs the command line on a terminal, as one word list for exec.
func (s sshd) command(commandLine string) []string {
	words := strings.Fields("ssh -tt -F none -o BatchMode=yes -o StrictHostKeyChecking=no -o LogLevel=ERROR" +
		" -o UserKnownHostsFile=" + s.path("known") + " -i " + s.path("client") + " -p " + s.port + " root@127.0.0.1")
	return append(words, commandLine)
}

func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, port, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return port
}
