package demo

import (
	"context"
	"encoding/binary"
	"fmt"
	"path"
	"strconv"
	"strings"

	"github.com/docker/docker/api/types/container"

	"github.com/pgrescue/pgrescue/pgops/pgdisk"
)

// pristine is where the hands have the undamaged copy.
const pristine = "/pristine"

// startHands starts the container that edits the volumes: the image itself,
// with nothing running in it.
func (l *lab) startHands(ctx context.Context) error {
	return l.run(ctx, spec{
		name:       handsContainer(l.Name),
		volumes:    map[string]string{dataVolume(l.Name): l.mount, twinVolume(l.Name): pristine},
		entrypoint: []string{"sleep", "infinity"},
		network:    "none",
	})
}

// hands runs a command next to the files.
func (l *lab) hands(ctx context.Context, stdin []byte, argv ...string) ([]byte, error) {
	return exec(ctx, l.cli, handsContainer(l.Name), stdin, argv...)
}

// keepPristine copies the whole volume; restorePristine brings it back.
func (l *lab) keepPristine(ctx context.Context) error    { return l.copyAll(ctx, l.mount, pristine) }
func (l *lab) restorePristine(ctx context.Context) error { return l.copyAll(ctx, pristine, l.mount) }

func (l *lab) copyAll(ctx context.Context, from, to string) error {
	const script = `find "$2" -mindepth 1 -delete && cp -a "$1"/. "$2"/ && sync -f "$2"`
	if _, err := l.hands(ctx, nil, "sh", "-ec", script, "copy", from, to); err != nil {
		return fmt.Errorf("copy the volume: %w", err)
	}
	return nil
}

// wipe takes the line pointers off one heap page and leaves its tuples where
// they are. The page keeps a right checksum, as if the server had written it so.
func (l *lab) wipe(ctx context.Context, h heap, block int) (string, error) {
	file := l.inData(h.parentFile)
	page, err := l.hands(ctx, nil, "dd", "if="+file, "bs="+strconv.Itoa(pgdisk.BlockSize),
		"skip="+strconv.Itoa(block), "count=1", "status=none")
	if err != nil {
		return "", fmt.Errorf("read block %d of %s: %w", block, h.parentFile, err)
	}
	if len(page) != pgdisk.BlockSize {
		return "", fmt.Errorf("read block %d of %s: got %d bytes, not a page", block, h.parentFile, len(page))
	}
	gone, err := wipeLinePointers(page)
	if err != nil {
		return "", fmt.Errorf("block %d of %s: %w", block, h.parentFile, err)
	}
	if h.checksums {
		pgdisk.PutPageChecksum(page, pgdisk.BlockNumber(block))
	}
	_, err = l.hands(ctx, page, "dd", "of="+file, "bs="+strconv.Itoa(pgdisk.BlockSize), "iflag=fullblock",
		"seek="+strconv.Itoa(block), "count=1", "conv=notrunc,fsync", "status=none")
	if err != nil {
		return "", fmt.Errorf("write block %d of %s: %w", block, h.parentFile, err)
	}
	return fmt.Sprintf("wiped the %d line pointers of block %d of public.parent (%s)", gone, block, h.parentFile), nil
}

// Where a page header keeps the end of the line pointers (PageHeaderData.pd_lower,
// storage/bufpage.h), and the header's size.
const (
	pdLowerAt  = 12
	headerSize = 24
)

// wipeLinePointers empties a page's line pointer array and says how many there were.
func wipeLinePointers(page []byte) (int, error) {
	lower := int(binary.LittleEndian.Uint16(page[pdLowerAt:]))
	if lower <= headerSize || lower > len(page) || (lower-headerSize)%4 != 0 {
		return 0, fmt.Errorf("pd_lower is %d: no heap page with rows", lower)
	}
	clear(page[headerSize:lower])
	binary.LittleEndian.PutUint16(page[pdLowerAt:], headerSize)
	return (lower - headerSize) / 4, nil
}

// cut truncates the newest file of one part of pg_multixact to a little over
// half: in the middle of a page, with multixacts lost that rows still name.
func (l *lab) cut(ctx context.Context) (string, error) {
	if l.Cut == CutNone {
		return "", nil
	}
	dir := path.Join("pg_multixact", string(l.Cut))
	out, err := l.hands(ctx, nil, "sh", "-ec", `cd "$1"; f=$(ls | sort | tail -n 1); stat -c '%n %s' "$f"`, "stat", l.inData(dir))
	if err != nil {
		return "", fmt.Errorf("find the newest file of %s: %w", dir, err)
	}
	name, size, _ := strings.Cut(strings.TrimSpace(string(out)), " ")
	before, err := strconv.Atoi(size)
	if err != nil {
		return "", fmt.Errorf("find the newest file of %s: got %q", dir, out)
	}
	after := before/2 + 100
	file := path.Join(dir, name)
	if _, err := l.hands(ctx, nil, "truncate", "-s", strconv.Itoa(after), l.inData(file)); err != nil {
		return "", fmt.Errorf("cut %s: %w", file, err)
	}
	return fmt.Sprintf("cut %s from %d to %d bytes", file, before, after), nil
}

// damage does all of it.
func (l *lab) damage(ctx context.Context, h heap, block int) ([]string, error) {
	wiped, err := l.wipe(ctx, h, block)
	if err != nil {
		return nil, err
	}
	cut, err := l.cut(ctx)
	if err != nil {
		return nil, err
	}
	if cut == "" {
		return []string{wiped}, nil
	}
	return []string{wiped, cut}, nil
}

// stopHard stops a server as a power cut would: no checkpoint, nothing flushed.
func (l *lab) stopHard(ctx context.Context, name string) error {
	if err := l.cli.ContainerKill(ctx, name, "SIGQUIT"); err != nil {
		return fmt.Errorf("stop %s immediately: %w", name, err)
	}
	done, errs := l.cli.ContainerWait(ctx, name, container.WaitConditionNotRunning)
	select {
	case <-done:
	case err := <-errs:
		return fmt.Errorf("wait for %s to end: %w", name, err)
	}
	return l.cli.ContainerRemove(ctx, name, container.RemoveOptions{Force: true})
}
