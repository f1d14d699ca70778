package catalog

import (
	"fmt"
	"os"
	"testing"

	"github.com/pgrescue/pgrescue/internal/truth"
)

func TestOnce(t *testing.T) {
	if os.Getenv("ONCE") == "" { t.Skip("SKIP-REASON: once") }
	for _, major := range []int{14, 16} {
		t.Run(fmt.Sprint(major), func(t *testing.T) {
			tr := truth.Start(t, 15)
			tr.Docker(t, nil, "cp", fmt.Sprintf("/tmp/diskwork/npm/p%d/package/native", major), tr.Container+":/opt/pg")
			tr.Docker(t, nil, "exec", tr.Container, "sh", "-c", fmt.Sprintf("chmod -R a+rX /opt/pg; chmod a+x /opt/pg/bin/*; ln -s /opt/pg /usr/lib/postgresql/%d; ln -s /usr/lib/postgresql/15/bin/psql /opt/pg/bin/psql; ls /opt/pg/bin", major))
			tr.Major = major
			tr.Sh(t, truthSetup)
			tr.SQL(t, "postgres", `create database "My ""Dätä|base"""`)
			tr.SQL(t, truthDatabase, truthWorkload)
			tr.Sh(t, `echo "begin; create table lost (a int); insert into lost values (1); select pg_sleep(100)" | psql -q 'My "Dätä|base"' >/dev/null 2>&1 &
				while ! psql -qAtc "select 1 from pg_stat_activity where wait_event = 'PgSleep'" | grep -q 1; do sleep 0.05; done`)
			said := askAll(t, tr)
			tr.Sh(t, "psql -qc checkpoint; pg_ctl -w -s -m immediate stop")
			t.Run("crashed", func(t *testing.T) { compareAll(t, openCopy(t, tr), said, major) })
			tr.Sh(t, "pg_ctl -w -s -l /tmp/log start; psql -qc 'create database last'; psql -qc 'drop database last'")
			said = askAll(t, tr)
			tr.Sh(t, "pg_ctl -w -s -m fast stop")
			fsys := openCopy(t, tr)
			t.Run("stopped", func(t *testing.T) { compareAll(t, fsys, said, major) })
			t.Run("lost maps", func(t *testing.T) { lostMaps(t, fsys, said, major) })
			t.Run("lost fates", func(t *testing.T) { lostFates(t, fsys, said, major) })
		})
	}
}
