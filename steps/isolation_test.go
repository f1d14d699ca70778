package steps

import (
	"slices"
	"strings"
	"testing"
)

// A copied cluster that comes up with the original's settings ships WAL into the production
// archive, follows its primary, moves its publisher's slots and runs its jobs.
func TestIsolationLeavesNothingToTheCluster(t *testing.T) {
	want := map[string]string{
		// no way in or out
		"listen_addresses": "", "port": "5432", "ssl": "off",
		// the archive
		"archive_mode": "off", "archive_command": "", "restore_command": "", "archive_cleanup_command": "", "recovery_end_command": "",
		// replication
		"primary_conninfo": "", "primary_slot_name": "", "max_logical_replication_workers": "0", "hot_standby": "off", "synchronous_standby_names": "",
		// other people's code and jobs
		"shared_preload_libraries": "", "session_preload_libraries": "", "local_preload_libraries": "", "max_worker_processes": "8", "jit": "off",
		// the log is ours
		"logging_collector": "off", "log_destination": "stderr", "lc_messages": "C",
		// nothing is cleaned up before it has been looked at
		"autovacuum": "off", "track_counts": "off", "autovacuum_freeze_max_age": "2000000000", "autovacuum_multixact_freeze_max_age": "2000000000",
		// what would keep it from starting here
		"huge_pages": "off", "shared_buffers": "128MB", "superuser_reserved_connections": "3", "max_wal_senders": "0",
		// where recovery ends is not for an old setting to say
		"recovery_target": "", "recovery_target_lsn": "", "recovery_target_name": "", "recovery_target_time": "", "recovery_target_xid": "",
		// damage must be seen
		"zero_damaged_pages": "off", "ignore_checksum_failure": "off", "ignore_invalid_pages": "off",
	}
	has := map[string]string{}
	for _, s := range isolation() {
		if _, twice := has[s.name]; twice {
			t.Errorf("%s is set twice", s.name)
		}
		if s.why == "" {
			t.Errorf("%s is set without a reason", s.name)
		}
		has[s.name] = s.value
	}
	for name, value := range want {
		if got, ok := has[name]; !ok || got != value {
			t.Errorf("%s is %q (set: %v), want %q", name, got, ok, value)
		}
	}
}

// Settings win from the command line only, and files of the cluster's are not read where
// others can be named.
func TestServerCommandLine(t *testing.T) {
	at := placeWith()
	for _, original := range []bool{false, true} {
		at.original = original
		spec := at.serverSpec("run-volume")
		set := map[string]string{}
		for i := 2; i+1 < len(spec.Cmd); i += 2 {
			name, value, ok := strings.Cut(spec.Cmd[i+1], "=")
			if _, twice := set[name]; spec.Cmd[i] != "-c" || !ok || twice {
				t.Fatalf("arguments %q", spec.Cmd[i:i+2])
			}
			set[name] = value
		}
		want := map[string]string{"config_file": confPath, "hba_file": hbaPath, "ident_file": identMap,
			"unix_socket_directories": runPath, "external_pid_file": ""}
		for _, s := range at.settings() {
			want[s.name] = s.value
		}
		if fsync := map[bool]string{true: "on", false: "off"}[original]; want["fsync"] != fsync {
			t.Errorf("original %v: fsync=%s, want %s", original, want["fsync"], fsync)
		}
		for name, value := range want {
			if got, ok := set[name]; !ok || got != value {
				t.Errorf("original %v: %s=%q (given: %v), want %q", original, name, got, ok, value)
			}
		}
		if len(set) != len(want) {
			t.Errorf("%d settings, want %d", len(set), len(want))
		}
		if spec.Entrypoint[0] != "postgres" || !slices.Equal(spec.Cmd[:2], []string{"-D", "/data"}) || spec.User != "999:998" || spec.StopSignal != "SIGINT" || len(spec.CapAdd) != 0 {
			t.Errorf("%+v", spec)
		}
	}
}

// Some settings must be as the cluster had them, or it does not start, or forgets.
func TestInheritedSettings(t *testing.T) {
	for _, c := range []struct {
		site     Site
		prepared string
		track    string
	}{{Site{}, "0", "off"}, {Site{Prepared: 64, CommitTs: true}, "64", "on"}} {
		got := map[string]string{}
		for _, s := range c.site.inherited() {
			got[s.name] = s.value
		}
		if got["max_prepared_transactions"] != c.prepared || got["track_commit_timestamp"] != c.track {
			t.Errorf("%+v: %v", c.site, got)
		}
	}
}

// Tools and servers run as the owner of the data, never through the image's entry point,
// which would chown or initialise.
func TestToolSpec(t *testing.T) {
	spec := placeWith().toolSpec(nil, "pg_controldata", "/data")
	if !slices.Equal(spec.Entrypoint, []string{"pg_controldata"}) || !slices.Equal(spec.Cmd, []string{"/data"}) || spec.User != "999:998" {
		t.Errorf("%+v", spec)
	}
	if !slices.Contains(spec.Env, "LC_ALL=C") {
		t.Errorf("messages of %v are not matched", spec.Env)
	}
}
