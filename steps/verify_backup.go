package steps

import (
	"context"
	"fmt"
	"strings"

	"github.com/pgrescue/pgrescue/dockerops"
	"github.com/pgrescue/pgrescue/steps/engine"
)

// verifyBackup runs the image's pg_verifybackup over the sealed snapshot with the manifest
// that was written for it: a second opinion from outside.
func verifyBackup(ctx context.Context, at *Place, snap Snapshot, p *engine.Pass) error {
	mounts := snap.mounts(at.site, true)
	for i := range mounts {
		mounts[i].Destination = at.site.Pieces[i].ContainerPath
	}
	manifest := dockerops.Mount{Type: dockerops.MountBind, Source: at.ws.path(manifestName), Destination: runPath + "/" + manifestName, ReadOnly: true}
	argv := []string{"pg_verifybackup", "-n", "-m", manifest.Destination}
	for _, path := range snap.Ignore {
		argv = append(argv, "-i", string(path))
	}
	out, err := at.runToolAs(ctx, p, "0:0", mounts, []dockerops.Mount{manifest}, append(argv, at.site.PGData)...)
	if err != nil {
		return p.Judge(engine.Verdict{Subject: "snapshot", Result: engine.CouldNotCheck, Evidence: []string{"pg_verifybackup could not be run: " + err.Error(), "the copy was read back and equals what was read"}})
	}
	if out.Exit == 0 {
		return p.Judge(engine.Verdict{Subject: "snapshot", Result: engine.Passed, Evidence: []string{
			"the copy was read back and equals what was read", "pg_verifybackup of the image accepts it: " + strings.TrimSpace(string(out.Stdout))}})
	}
	return fmt.Errorf("the snapshot is not what was read: %w", toolFailed("pg_verifybackup", out))
}
