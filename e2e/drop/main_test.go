package drop

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// bin is the program under test, built once; prefix begins the name of every container,
// volume and session that this run makes.
var (
	bin    string
	prefix = fmt.Sprintf("e2d-%d", os.Getpid())
)

func TestMain(m *testing.M) { os.Exit(runTests(m)) }

func runTests(m *testing.M) int {
	dir, err := os.MkdirTemp("", "pgrescue-drop-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	bin = filepath.Join(dir, "pgrescue")
	build := exec.Command("go", "build", "-o", bin, "github.com/pgrescue/pgrescue")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "building the program: %v\n%s", err, out)
		return 1
	}
	defer removeAll()
	return m.Run()
}

// removeAll removes what this run made. Objects of an incident carry the name of its
// target, and that begins with our prefix.
func removeAll() {
	for _, id := range strings.Fields(dockerOutput("ps", "-aq", "--filter", "name="+prefix)) {
		dockerOutput("rm", "-fv", id)
	}
	for _, id := range strings.Fields(dockerOutput("ps", "-a", "--filter", "label=com.pgrescue.incident", "--format", `{{.ID}}|{{.Label "com.pgrescue.incident"}}`)) {
		if id, incident, _ := strings.Cut(id, "|"); strings.Contains(incident, prefix) {
			dockerOutput("rm", "-fv", id)
		}
	}
	// A clone is mounted over its snapshot and must go first.
	for range 2 {
		for _, v := range strings.Fields(dockerOutput("volume", "ls", "-q", "--filter", "name="+prefix)) {
			dockerOutput("volume", "rm", "-f", v)
		}
	}
}

// dockerOutput is for cleaning up, where a failure changes nothing.
func dockerOutput(args ...string) string {
	out, _ := exec.Command("docker", args...).Output()
	return string(out)
}
