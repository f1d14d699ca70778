package demo

import (
	"context"
	"errors"
	"fmt"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/filters"
	"github.com/docker/docker/api/types/volume"
	"github.com/docker/docker/client"
)

// Label is on every container and volume of a demo; its value is [Options].Name.
const Label = "pgrescue.demo"

// Broken is a cluster that was broken on purpose.
type Broken struct {
	Container string // in its restart loop
	Volume    string // holds the damaged data directory
	Twin      string // volume of the undamaged twin, if it was kept
	Image     string
	Database  string // the database with the tables

	// Truth is what an undamaged server has after its recovery, by schema and name.
	Truth []TableCount
	// Damage says what was done to the files, in words.
	Damage []string

	cli *client.Client
}

// Remove removes everything that the demo made.
func (b *Broken) Remove(ctx context.Context) error {
	return Remove(ctx, b.cli, b.Container)
}

// Names of what a demo called name is made of.
func dataVolume(name string) string     { return name + "-data" }
func twinVolume(name string) string     { return name + "-twin" }
func setupContainer(name string) string { return name + "-setup" }
func handsContainer(name string) string { return name + "-hands" }
func twinContainer(name string) string  { return name + "-twin" }

// Remove removes the containers and volumes that carry the label of the demo
// called name, by whichever process they were made. Nothing to remove is no error.
func Remove(ctx context.Context, cli *client.Client, name string) error {
	labelled := filters.NewArgs(filters.Arg("label", Label+"="+name))
	containers, err := cli.ContainerList(ctx, container.ListOptions{All: true, Filters: labelled})
	if err != nil {
		return fmt.Errorf("list containers of demo %s: %w", name, err)
	}
	var errs []error
	for _, c := range containers {
		if err := cli.ContainerRemove(ctx, c.ID, container.RemoveOptions{Force: true, RemoveVolumes: true}); err != nil {
			errs = append(errs, fmt.Errorf("remove container %s of demo %s: %w", c.ID[:12], name, err))
		}
	}
	volumes, err := cli.VolumeList(ctx, volume.ListOptions{Filters: labelled})
	if err != nil {
		return errors.Join(append(errs, fmt.Errorf("list volumes of demo %s: %w", name, err))...)
	}
	for _, v := range volumes.Volumes {
		if err := cli.VolumeRemove(ctx, v.Name, true); err != nil {
			errs = append(errs, fmt.Errorf("remove volume %s of demo %s: %w", v.Name, name, err))
		}
	}
	return errors.Join(errs...)
}
