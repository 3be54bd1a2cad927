package ui_test

import (
	"errors"
	"testing"

	"daytwo/sources"
	"daytwo/ui"
)

// kubelets are n nodes of which so many were asked, and some in vain.
func kubelets(n, asked, failed int) sources.Edit {
	return func(s *sources.Snapshot) {
		cluster(s)
		delete(s.Sources, "prometheus")
		s.Stats = map[string]sources.Reading[sources.NodeStats]{}
		s.Nodes.Value = nil
		for i := range n {
			name := "worker-" + string(rune('a'+i))
			s.Nodes.Value = append(s.Nodes.Value, sources.Node{Name: name})
			r := sources.Read(sources.NodeStats{}, s.At)
			if i < failed {
				r = r.Failed(errors.New("connection refused"))
			}
			if i < asked {
				s.Stats[name] = r
			}
		}
		h := s.Sources["kubelets"]
		h.Note = string(rune('0'+asked-failed)) + "/" + string(rune('0'+n))
		s.Sources["kubelets"] = h
	}
}

// TestKubeletsInTheHeader: asked for the first time is neither good nor bad,
// some that fail are unknown, all that answer are ok.
func TestKubeletsInTheHeader(t *testing.T) {
	t.Parallel()
	d := open(t, newListView(things(3)), 100, 20)
	for _, c := range []struct {
		asked, failed int
		want          string
	}{
		{0, 0, "· kubelets reading 0/9"},
		{3, 0, "· kubelets reading 3/9"},
		{8, 2, "· kubelets reading 8/9"},
		{9, 2, "○ kubelets 7/9"},
		{9, 0, "● kubelets 9/9"},
	} {
		d.Publish(kubelets(9, c.asked, c.failed))
		d.See(c.want)
	}
	ascii := open(t, newListView(things(3)), 100, 20, func(o *ui.Options) { o.ASCII = true })
	ascii.Publish(kubelets(9, 3, 0))
	ascii.See("- kubelets reading 3/9")
}

// TestHistoryWithoutSamples is not green.
func TestHistoryWithoutSamples(t *testing.T) {
	t.Parallel()
	d := open(t, newListView(things(3)), 100, 20)
	d.Publish(func(s *sources.Snapshot) {
		cluster(s)
		delete(s.Sources, "prometheus")
		s.History = sources.Read(sources.History{}, s.At)
	})
	d.See("· history no samples yet")
	d.Publish(func(s *sources.Snapshot) {
		s.History = sources.Read(sources.History{Series: map[string][]sources.Point{"cpu/worker-0": {{At: s.At}}}}, s.At)
	})
	d.See("● history")
}
