package upgrade_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"daytwo/actions/upgrade"
	"daytwo/sources"
)

func TestVersionsInOrder(t *testing.T) {
	t.Parallel()
	ordered := []string{
		"v1.9.11+k3s1", "v1.33.4", "v1.33.4+k3s1", "v1.33.4+k3s2", "v1.33.10-rc2+k3s1", "v1.33.10-rc10+k3s1", "v1.33.10+k3s1", "v1.34.0+k3s1", "v2.0.0+k3s1",
	}
	for i, a := range ordered {
		va, err := upgrade.ParseVersion(a)
		if err != nil || va.String() != a {
			t.Errorf("%s was read as %s, %v", a, va, err)
		}
		for k, b := range ordered {
			vb, err := upgrade.ParseVersion(b)
			if err != nil {
				t.Fatal(err)
			}
			if got, want := va.Compare(vb), min(max(i-k, -1), 1); got != want {
				t.Errorf("%s to %s: %d, want %d", a, b, got, want)
			}
		}
	}
	for _, bad := range []string{"", "v1.33", "v1.33.x", "1.33.4+k3s1", "v1.33.4+k3s1 ", "v1.33.4+rke2r1", "v1.33.4+k3s1;id", "latest", "v1.33.99999+k3s1", "v1.33.04+k3s1"} {
		if v, err := upgrade.ParseVersion(bad); err == nil {
			t.Errorf("%q was read as %s", bad, v)
		}
	}
}

// cluster is "server:version" or "agent:version" words made members.
func cluster(words ...string) []upgrade.Member {
	var out []upgrade.Member
	for i, w := range words {
		role, version, _ := strings.Cut(w, ":")
		name := map[string]string{"s": "master-", "a": "worker-"}[role] + string(rune('0'+i))
		out = append(out, upgrade.Member{Name: name, Server: role == "s", Version: version})
	}
	return out
}

func heads() []sources.Channel {
	return []sources.Channel{
		{Name: "stable", Latest: "v1.33.6+k3s1"},
		{Name: "v1.33", Latest: "v1.33.6+k3s1"},
		{Name: "v1.34", Latest: "v1.34.2+k3s1"},
		{Name: "v1.35", Latest: "v1.35.0+k3s1"},
	}
}

func TestPolicy(t *testing.T) {
	t.Parallel()
	date := func(month time.Month) time.Time { return time.Date(2026, month, 3, 0, 0, 0, 0, time.UTC) }
	for _, c := range []struct {
		name    string
		q       upgrade.Question
		size    upgrade.Size
		refused string // part of the first refusal; "" is allowed
		ladder  string
		orders  string // first letters of the nodes of each order
		says    []string
	}{
		{
			name: "a patch", q: upgrade.Question{Target: "v1.33.6+k3s1", Members: cluster("s:v1.33.4+k3s1", "a:v1.33.4+k3s1", "a:v1.33.4+k3s1")},
			size: upgrade.Patch, orders: "worker-1 worker-2 master-0|master-0 worker-1 worker-2", says: []string{"both orders are allowed"},
		},
		{
			name: "a patch where servers first was chosen before", q: upgrade.Question{Target: "v1.33.6+k3s1", Prefer: upgrade.ServersFirst, Members: cluster("s:v1.33.4+k3s1", "a:v1.33.4+k3s1")},
			size: upgrade.Patch, orders: "master-0 worker-1|worker-1 master-0",
		},
		{
			name: "a minor", q: upgrade.Question{Target: "v1.34.2+k3s1", Prefer: upgrade.WorkersFirst, Members: cluster("s:v1.33.6+k3s1", "a:v1.33.6+k3s1")},
			size: upgrade.Minor, orders: "master-0 worker-1", says: []string{"CreateContainerConfigError", "version-skew-policy", "127316"},
		},
		{
			name: "a minor from an old patch", q: upgrade.Question{Target: "v1.34.2+k3s1", Members: cluster("s:v1.33.4+k3s1", "a:v1.33.4+k3s1")},
			size: upgrade.Minor, orders: "master-0 worker-1", says: []string{"going to v1.33.6+k3s1 first is the recommended way"},
		},
		{
			name: "a minor is skipped", q: upgrade.Question{Target: "v1.35.0+k3s1", Members: cluster("s:v1.32.9+k3s1", "a:v1.32.9+k3s1")},
			size: upgrade.Minor, refused: "skips v1.33, v1.34", ladder: "v1.33.6+k3s1 v1.34.2+k3s1 v1.35.0+k3s1",
		},
		{
			name: "a minor is skipped and no channel is known", q: upgrade.Question{Target: "v1.39.0+k3s1", Members: cluster("s:v1.37.9+k3s1")},
			size: upgrade.Minor, refused: "skips v1.38", ladder: "the newest v1.38 v1.39.0+k3s1",
		},
		{
			name: "down a minor", q: upgrade.Question{Target: "v1.33.6+k3s1", Members: cluster("s:v1.34.2+k3s1", "a:v1.34.2+k3s1")},
			size: upgrade.Minor, refused: "master-0 would go down from v1.34.2+k3s1 to v1.33.6+k3s1",
		},
		{
			name: "down a patch", q: upgrade.Question{Target: "v1.33.4+k3s1", Members: cluster("s:v1.33.6+k3s1", "a:v1.33.4+k3s1")},
			size: upgrade.Patch, refused: "would go down",
		},
		{
			name: "an agent that is newer than its server comes down to it", q: upgrade.Question{Target: "v1.33.6+k3s1", Members: cluster("s:v1.33.6+k3s1", "a:v1.34.2+k3s1")},
			size: upgrade.Patch, orders: "worker-1 master-0|master-0 worker-1", says: []string{"worker-1 goes down from v1.34.2+k3s1"},
		},
		{
			name: "an agent lags behind servers that would leave it further", q: upgrade.Question{Target: "v1.34.2+k3s1", Members: cluster("s:v1.33.6+k3s1", "a:v1.32.9+k3s1")},
			size: upgrade.Minor, refused: "worker-1 still runs v1.32.9+k3s1", ladder: "v1.33.6+k3s1 v1.34.2+k3s1",
		},
		{
			name: "agents catch up with their servers", q: upgrade.Question{Target: "v1.34.2+k3s1", Members: cluster("s:v1.34.2+k3s1", "a:v1.33.6+k3s1", "a:v1.32.9+k3s1")},
			size: upgrade.Finish, orders: "worker-1 worker-2 master-0|master-0 worker-1 worker-2", says: []string{"worker-2 is more than one minor behind", "12819"},
		},
		{
			name: "one of two servers is there", q: upgrade.Question{Target: "v1.34.2+k3s1", Members: cluster("s:v1.34.2+k3s1", "s:v1.33.6+k3s1", "a:v1.33.6+k3s1")},
			size: upgrade.Minor, orders: "master-0 master-1 worker-2",
		},
		{
			name: "nothing to do", q: upgrade.Question{Target: "v1.33.6+k3s1", Members: cluster("s:v1.33.6+k3s1", "a:v1.33.6+k3s1")},
			size: upgrade.Patch, refused: "every node runs v1.33.6+k3s1 already",
		},
		{
			name: "built before what runs", q: upgrade.Question{Target: "v1.34.0+k3s1", Members: cluster("s:v1.33.6+k3s1"), TargetBuilt: date(2), RunningBuilt: date(4)},
			size: upgrade.Minor, refused: "published in February 2026, before v1.33.6+k3s1, which runs now (April 2026): it lacks what was mended since; the newest of its minor is v1.34.2+k3s1",
		},
		{
			name: "built in the same month", q: upgrade.Question{Target: "v1.34.2+k3s1", Members: cluster("s:v1.33.6+k3s1"), TargetBuilt: date(4), RunningBuilt: date(4).AddDate(0, 0, 5)},
			size: upgrade.Minor, orders: "master-0",
		},
		{
			name: "not the newest, and a candidate", q: upgrade.Question{Target: "v1.33.5-rc1+k3s1", Members: cluster("s:v1.33.4+k3s1")},
			size: upgrade.Patch, orders: "master-0|master-0", says: []string{"not a release but a candidate", "that is v1.33.6+k3s1"},
		},
		{name: "a channel is typed", q: upgrade.Question{Target: "v1.33", Members: cluster("s:v1.33.4+k3s1")}, refused: "choose its channel"},
		{name: "not k3s", q: upgrade.Question{Target: "v1.33.6+k3s1", Members: cluster("s:v1.33.4+rke2r1")}, refused: "master-0 is not one of k3s"},
		{name: "no server in sight", q: upgrade.Question{Target: "v1.33.6+k3s1", Members: cluster("a:v1.33.4+k3s1")}, refused: "no server is known"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			c.q.Heads = heads()
			v := upgrade.Judge(c.q)
			if v.Size != c.size {
				t.Errorf("size %q, want %q", v.Size, c.size)
			}
			all := v.Why.Text + v.Why.Source
			for _, r := range append(slices.Clone(v.Refused), v.Warnings...) {
				all += "\n" + r.Text + " (" + r.Source + ")"
			}
			switch {
			case c.refused == "" && len(v.Refused) > 0:
				t.Errorf("refused: %s", v.Refused[0].Text)
			case c.refused != "" && (len(v.Refused) == 0 || !strings.Contains(v.Refused[0].Text, c.refused)):
				t.Errorf("%v; want a refusal with %q", v.Refused, c.refused)
			case c.refused != "" && len(v.Orders) > 0:
				t.Errorf("refused, and yet it offers %v", v.Orders)
			}
			if got := strings.Join(v.Ladder, " "); got != c.ladder {
				t.Errorf("ladder %q, want %q", got, c.ladder)
			}
			var orders []string
			for _, o := range v.Orders {
				orders = append(orders, strings.Join(o.Nodes, " "))
			}
			if got := strings.Join(orders, "|"); got != c.orders {
				t.Errorf("orders %q, want %q", got, c.orders)
			}
			for _, want := range c.says {
				if !strings.Contains(all, want) {
					t.Errorf("it does not say %q:\n%s", want, all)
				}
			}
			if len(v.Orders) > 1 && len(v.TradeOff) != 2 {
				t.Errorf("two orders, and %d lines that weigh them", len(v.TradeOff))
			}
		})
	}
}

func TestCheckOrder(t *testing.T) {
	t.Parallel()
	members := cluster("s:v1.33.6+k3s1", "s:v1.33.6+k3s1", "a:v1.33.6+k3s1", "a:v1.33.6+k3s1")
	for _, c := range []struct {
		size  upgrade.Size
		order string
		want  string
	}{
		{upgrade.Minor, "master-0 master-1 worker-2 worker-3", ""},
		{upgrade.Minor, "master-1 master-0", ""},
		{upgrade.Minor, "master-0 worker-2 master-1 worker-3", "worker-2 cannot come before the server master-1"},
		{upgrade.Minor, "master-0 worker-2", "before the server master-1"},
		{upgrade.Patch, "worker-2 master-0 master-1 worker-3", ""},
		{upgrade.Patch, "worker-2 worker-2", "twice"},
		{upgrade.Patch, "worker-9", "no node worker-9"},
	} {
		err := upgrade.CheckOrder(c.size, members, "v1.34.2+k3s1", strings.Fields(c.order))
		if (err == nil) != (c.want == "") || (err != nil && !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s %s: %v, want %q", c.size, c.order, err, c.want)
		}
	}
}

// FuzzParseVersion: a version that is read is written as it was, so that a
// command made of it has nothing else in it.
func FuzzParseVersion(f *testing.F) {
	for _, s := range []string{"v1.33.4+k3s1", "v1.34.0-rc1+k3s2", "v1.33.04+k3s1"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		v, err := upgrade.ParseVersion(s)
		if err != nil {
			return
		}
		if again, err := upgrade.ParseVersion(v.String()); err != nil || again != v || v.String() != s {
			t.Errorf("%q: %v, then %v, %v", s, v, again, err)
		}
		if sources.Quote(v.String()) != v.String() {
			t.Errorf("%q needs quotes", v)
		}
	})
}
