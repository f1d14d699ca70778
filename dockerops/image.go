package dockerops

import (
	"archive/tar"
	"context"
	"crypto/sha256"
	"debug/elf"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/docker/docker/api/types/filters"
	"github.com/docker/docker/api/types/image"
)

// HelperBinary is where the helper image has its one file.
const HelperBinary = "/pgrescue"

// helperRepo is the repository part of helper images' names. Nothing of that
// name is ever pulled or pushed.
const helperRepo = "pgrescue-helper"

// EnsureHelperImage makes sure that there is an image which holds nothing but
// the binary at binaryPath, as HelperBinary and entry point, and returns its
// reference, "pgrescue-helper:" and the first 12 digits of the binary's
// SHA-256. An image that is already there is reused. The binary must be
// statically linked, since the image has no loader. No registry is asked.
func (c *Client) EnsureHelperImage(ctx context.Context, binaryPath string) (ref string, err error) {
	f, err := os.Open(binaryPath)
	if err != nil {
		return "", fmt.Errorf("making the helper image: %w", err)
	}
	defer f.Close()
	if err := checkStatic(f); err != nil {
		return "", fmt.Errorf("making the helper image from %s: %w", binaryPath, err)
	}
	hash := sha256.New()
	size, err := io.Copy(hash, f)
	if err != nil {
		return "", fmt.Errorf("making the helper image: reading %s: %w", binaryPath, err)
	}
	ref = helperRepo + ":" + hex.EncodeToString(hash.Sum(nil))[:12]
	switch ok, err := c.HasImage(ctx, ref); {
	case err != nil:
		return "", err
	case ok:
		return ref, nil
	}
	return ref, c.importBinary(ctx, ref, f, size)
}

// importBinary sends a tar stream of one file as a new image.
func (c *Client) importBinary(ctx context.Context, ref string, f *os.File, size int64) error {
	call, cancel := slow(ctx)
	defer cancel()
	pr, pw := io.Pipe()
	go func() { pw.CloseWithError(writeBinaryTar(pw, io.NewSectionReader(f, 0, size), size)) }()
	defer pr.Close() // ends the writer if the daemon stops reading
	resp, err := c.api.ImageImport(call, image.ImportSource{Source: pr, SourceName: "-"}, ref, image.ImportOptions{
		Changes: []string{
			fmt.Sprintf("ENTRYPOINT [%q]", HelperBinary),
			fmt.Sprintf("LABEL %s=%s", LabelRole, RoleHelper),
		},
	})
	if err != nil {
		return wrap(ctx, err, "making the helper image %s", ref)
	}
	defer resp.Close()
	if err := importResult(resp); err != nil {
		return wrap(ctx, err, "making the helper image %s", ref)
	}
	return nil
}

// writeBinaryTar writes an archive that holds the binary alone. Its times are
// fixed so that one binary always gives one layer.
func writeBinaryTar(w io.Writer, r io.Reader, size int64) error {
	tw := tar.NewWriter(w)
	err := tw.WriteHeader(&tar.Header{
		Typeflag: tar.TypeReg, Name: HelperBinary[1:], Mode: 0o755, Size: size, ModTime: time.Unix(0, 0), Format: tar.FormatPAX,
	})
	if err != nil {
		return err
	}
	if _, err := io.Copy(tw, r); err != nil {
		return err
	}
	return tw.Close()
}

// importResult reads the messages of an import to its end. The daemon reports
// failures there, under HTTP status 200.
func importResult(r io.Reader) error {
	dec := json.NewDecoder(r)
	for {
		var msg struct {
			Error string `json:"error"`
		}
		switch err := dec.Decode(&msg); {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		case msg.Error != "":
			return errors.New(msg.Error)
		}
	}
}

// checkStatic refuses what could not run in an empty image.
func checkStatic(f *os.File) error {
	bin, err := elf.NewFile(f)
	if err != nil {
		return fmt.Errorf("not a Linux program: %w", err)
	}
	for _, p := range bin.Progs {
		if p.Type == elf.PT_INTERP {
			return errors.New("the program is linked dynamically: build it with CGO_ENABLED=0")
		}
	}
	return nil
}

// HasImage reports whether an image, by reference or id, is on this host.
func (c *Client) HasImage(ctx context.Context, ref string) (bool, error) {
	call, cancel := short(ctx)
	defer cancel()
	_, err := c.api.ImageInspect(call, ref)
	switch err := wrap(ctx, err, "looking for image %s", ref); {
	case err == nil:
		return true, nil
	case isNotFound(err):
		return false, nil
	default:
		return false, err
	}
}

// HelperImages lists the references of the helper images on this host, of
// this and other versions of the binary.
func (c *Client) HelperImages(ctx context.Context) ([]string, error) {
	call, cancel := short(ctx)
	defer cancel()
	list, err := c.api.ImageList(call, image.ListOptions{Filters: filters.NewArgs(
		filters.Arg("label", LabelRole+"="+string(RoleHelper)), filters.Arg("reference", helperRepo+":*"))})
	if err != nil {
		return nil, wrap(ctx, err, "listing helper images")
	}
	var refs []string
	for _, img := range list {
		refs = append(refs, img.RepoTags...)
	}
	slices.Sort(refs)
	return refs, nil
}

// RemoveHelperImage removes one helper image; others are refused, and one that
// a container uses stays, with an error. One that is not there is no error.
func (c *Client) RemoveHelperImage(ctx context.Context, ref string) error {
	if !strings.HasPrefix(ref, helperRepo+":") {
		return fmt.Errorf("removing image %s: it is not a helper image, so it is kept", ref)
	}
	call, cancel := slow(ctx)
	defer cancel()
	_, err := c.api.ImageRemove(call, ref, image.RemoveOptions{})
	if err := wrap(ctx, err, "removing image %s", ref); !isNotFound(err) {
		return err
	}
	return nil
}

// ImageID is the id of an image on this host, "" if it is not there. Unlike a tag, an id
// always names the same bytes.
func (c *Client) ImageID(ctx context.Context, ref string) (string, error) {
	call, cancel := short(ctx)
	defer cancel()
	found, err := c.api.ImageInspect(call, ref)
	err = wrap(ctx, err, "looking for image %s", ref)
	if errors.Is(err, ErrNotFound) {
		return "", nil
	}
	return found.ID, err
}
