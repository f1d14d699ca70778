package steps

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/jackc/pgx/v5"

	"github.com/pgrescue/pgrescue/pgops"
	"github.com/pgrescue/pgrescue/pgops/pgdisk"
	"github.com/pgrescue/pgrescue/steps/engine"
)

// goodControl reads the pg_control of a cluster the operator trusts: from its directory on
// this host, or through SQL.
func goodControl(ctx context.Context, _ *Place, p *engine.Pass, good string) (*pgdisk.Control, error) {
	if filepath.IsAbs(good) {
		root, err := os.OpenRoot(good)
		if err != nil {
			return nil, err
		}
		defer root.Close()
		raw, err := root.ReadFile(pgdisk.ControlFilePath)
		if err != nil {
			return nil, err
		}
		return pgdisk.DecodeControl(raw)
	}
	conn, err := pgx.Connect(ctx, good)
	if err != nil {
		return nil, fmt.Errorf("known-good cluster: %w", err)
	}
	defer conn.Close(context.WithoutCancel(ctx))
	if err := p.Say("connected to the known-good cluster"); err != nil {
		return nil, err
	}
	return pgops.ControlThroughSQL(ctx, conn)
}
