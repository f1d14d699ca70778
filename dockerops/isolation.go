package dockerops

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/docker/docker/api/types/container"
)

// Rules say what an isolated container may have beyond nothing.
type Rules struct {
	Allowed   []Source // what may be mounted, writable or not; tmpfs always may
	Originals []Source // what must not be mounted writable, whatever Allowed says, nor lie under a mount
	Caps      []string // capabilities that may be added, such as "DAC_OVERRIDE"
}

// Fact is one thing that was looked at.
type Fact struct {
	Name  string // such as "network mode"
	Found string
	Want  string
	OK    bool
}

// Report is the evidence that a container is isolated, or is not.
type Report struct {
	Container string // id
	Facts     []Fact
}

// OK reports whether nothing is violated.
func (r Report) OK() bool { return len(r.Violations()) == 0 }

// Violations are the facts that are not as wanted.
func (r Report) Violations() []Fact {
	return slices.DeleteFunc(slices.Clone(r.Facts), func(f Fact) bool { return f.OK })
}

// String is the fact in words.
func (f Fact) String() string {
	if f.OK {
		return fmt.Sprintf("ok: %s: %s", f.Name, f.Found)
	}
	return fmt.Sprintf("VIOLATED: %s: %s, want %s", f.Name, f.Found, f.Want)
}

// Isolation looks at a container's own inspect, not at what it was asked to
// be, and reports on everything by which it could reach the outside: network,
// host namespaces, privileges, devices, and every mount including what is
// under a clone.
func (c *Client) Isolation(ctx context.Context, id string, rules Rules) (Report, error) {
	in, err := c.inspect(ctx, id)
	if err != nil {
		return Report{}, err
	}
	if in.HostConfig == nil || in.Config == nil {
		return Report{}, fmt.Errorf("inspecting container %s: the answer has no configuration", id)
	}
	r := Report{Container: in.ID}
	r.network(in)
	r.privileges(in.HostConfig, rules)
	r.namespaces(in.HostConfig)
	return r, r.mounts(ctx, c, in, rules)
}

// add records a fact whose wanted value is known.
func (r *Report) add(name, found, want string) {
	r.Facts = append(r.Facts, Fact{Name: name, Found: found, Want: want, OK: found == want})
}

// none records a list that must be empty.
func (r *Report) none(name string, found []string) {
	r.add(name, cmp.Or(strings.Join(found, " "), "none"), "none")
}

// network looks for ways to and from a network.
func (r *Report) network(in container.InspectResponse) {
	h := in.HostConfig
	r.add("network mode", string(h.NetworkMode), "none")
	var nets, ports []string
	if in.NetworkSettings != nil {
		for name, e := range in.NetworkSettings.Networks {
			if name != "none" || e != nil && (e.IPAddress != "" || e.GlobalIPv6Address != "") {
				nets = append(nets, name)
			}
		}
		for p, b := range in.NetworkSettings.Ports {
			if len(b) > 0 {
				ports = append(ports, string(p))
			}
		}
	}
	for p := range h.PortBindings {
		ports = append(ports, string(p))
	}
	slices.Sort(nets)
	slices.Sort(ports)
	r.none("networks attached", nets)
	r.none("ports published", slices.Compact(ports))
	r.add("all ports published", fmt.Sprint(h.PublishAllPorts), "false")
	r.none("links", h.Links)
	r.none("extra hosts", h.ExtraHosts)
}

// privileges looks for ways to power over the host.
func (r *Report) privileges(h *container.HostConfig, rules Rules) {
	r.add("privileged", fmt.Sprint(h.Privileged), "false")
	r.add("capabilities dropped", strings.Join(h.CapDrop, " "), "ALL")
	var extra []string
	for _, have := range h.CapAdd {
		if !slices.ContainsFunc(rules.Caps, func(ok string) bool { return bareCap(ok) == bareCap(have) }) {
			extra = append(extra, have)
		}
	}
	r.none("capabilities beyond those allowed", extra)
	r.add("new privileges", fmt.Sprint(!slices.Contains(h.SecurityOpt, "no-new-privileges")), "false")
	var weak []string
	for _, o := range h.SecurityOpt {
		if strings.HasSuffix(o, "unconfined") {
			weak = append(weak, o)
		}
	}
	r.none("security profiles off", weak)
	var devices []string
	for _, d := range h.Devices {
		devices = append(devices, d.PathOnHost)
	}
	for _, d := range h.DeviceRequests {
		devices = append(devices, "request:"+d.Driver)
	}
	r.none("devices", append(devices, h.DeviceCgroupRules...))
	r.add("restart policy", cmp.Or(string(h.RestartPolicy.Name), "no"), "no")
}

// bareCap writes a capability without prefix.
func bareCap(s string) string { return strings.TrimPrefix(strings.ToUpper(s), "CAP_") }

// namespaces looks for namespaces shared with the host or other containers.
func (r *Report) namespaces(h *container.HostConfig) {
	var shared []string
	for name, mode := range map[string]string{
		"pid": string(h.PidMode), "uts": string(h.UTSMode), "user": string(h.UsernsMode), "ipc": string(h.IpcMode),
		"cgroup": string(h.CgroupnsMode),
	} {
		// Docker 20.10 on cgroup v1 shows the cgroup name space as "host" by
		// default. It shows names only, so it is no way out.
		if name == "cgroup" || mode == "" || mode == "private" || mode == "none" {
			continue
		}
		shared = append(shared, name+"="+mode)
	}
	slices.Sort(shared)
	r.none("namespaces shared", shared)
	r.none("volumes from other containers", h.VolumesFrom)
}

// mounts looks at every mount, and at what is under it.
func (r *Report) mounts(ctx context.Context, c *Client, in container.InspectResponse, rules Rules) error {
	originals, err := c.matcher(ctx, rules.Originals)
	if err != nil {
		return err
	}
	vols, err := c.Volumes(ctx)
	if err != nil {
		return err
	}
	for _, m := range mountsOf(in) {
		f := Fact{Name: "mount " + m.Destination, Found: m.describe(), Want: "a mount that is allowed"}
		f.OK = m.Type == MountTmpfs || slices.ContainsFunc(rules.Allowed, m.isOf)
		if hit := originals.written(m, vols); hit != "" {
			f.OK, f.Want = false, "the original absent or read-only, not written through "+hit
		}
		r.Facts = append(r.Facts, f)
	}
	return nil
}

// written names the path or volume through which a mount can write to wanted
// data, or is "". An overlay writes to its upper layer alone.
func (m *matcher) written(mt Mount, vols []Volume) string {
	if i := slices.IndexFunc(vols, func(v Volume) bool { return mt.Name != "" && v.Name == mt.Name }); i >= 0 {
		if upper := slices.Concat(vols[i].layers("upperdir"), vols[i].layers("workdir")); len(upper) > 0 {
			// Whether or not this mount is read-only: such a clone has the
			// original under its writable layer.
			for _, dir := range upper {
				if _, hit := m.match(Mount{Source: dir}); hit {
					return dir
				}
			}
			return ""
		}
	}
	if _, hit := m.match(mt); hit && !mt.ReadOnly {
		return cmp.Or(mt.Name, mt.Source)
	}
	return ""
}

// isOf reports whether the mount is of that volume, by name, or binds that
// directory or one in it. What an overlay lies over does not count: leave to
// write to a clone is not leave to write to its snapshot.
func (m Mount) isOf(s Source) bool {
	switch m.Type {
	case MountVolume:
		return m.Name != "" && m.Name == s.Volume
	case MountBind:
		return s.Path != "" && within(realPath(m.Source), realPath(s.Path))
	}
	return false
}

// describe writes a mount for evidence.
func (m Mount) describe() string {
	mode := "writable"
	if m.ReadOnly {
		mode = "read-only"
	}
	return strings.Join(strings.Fields(strings.Join([]string{m.Type, m.Name, m.Source, mode}, " ")), " ")
}
