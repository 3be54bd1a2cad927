package views_test

import (
	"errors"
	"testing"
	"time"

	"daytwo/sources"
	"daytwo/ui"
)

// injector is a Deployment of which there is nothing to say.
func injector(ready int32) func(world) sources.Edit {
	return func(w world) sources.Edit {
		return func(s *sources.Snapshot) {
			w.incident()(s)
			about := deployment("cert-manager", "cert-manager-cainjector")
			p := w.pods()[1]
			p.Namespace, p.Name, p.Owner = about.Namespace, about.Name+"-7c9b8d5f-k2m4p", about
			p.Created = w.ago(3 * time.Minute)
			p.Ready = ready > 0
			p.Containers = []sources.Container{{Name: about.Name, Ready: p.Ready, State: "running"}}
			load := sources.Workload{Ref: about, Desired: 1, Ready: ready}
			s.Workloads.Value = append(s.Workloads.Value, load)
			s.Pods.Value = append(s.Pods.Value, p)
		}
	}
}

// TestOwnerWithoutFindings: what was read and is whole is ok; what is unknown
// says why.
func TestOwnerWithoutFindings(t *testing.T) {
	t.Parallel()
	refused := errors.New("may not list pods")
	noPods := func(world) sources.Edit {
		return func(s *sources.Snapshot) { s.Pods = s.Pods.Failed(refused) }
	}
	for name, c := range map[string]struct {
		build []func(world) sources.Edit
		want  []string
	}{
		"whole":     {[]func(world) sources.Edit{injector(1)}, []string{"● ok  deployment cert-manager/cert-manager-cainjector"}},
		"not ready": {[]func(world) sources.Edit{injector(0)}, []string{"○ unknown  deployment", "0 of 1 ready, and no rule says why"}},
		"unread":    {[]func(world) sources.Edit{injector(1), noPods}, []string{"○ unknown  deployment", "pods: may not list pods"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d, _ := open(t, 120, 40, ui.Options{Color: true}, c.build...)
			d.Press(":")
			d.Type("deployment cert-manager/cert-manager-cainjector")
			d.Press("enter")
			d.See(c.want...)
			// No container restarted: there is no log of an earlier one.
			d.See("logs cert-manager-cainjector-7c9b8d5f-k2m4p --tail=200 -c cert-manager-cainjector\n")
			d.NotSee(" -p\n")
		})
	}
}

// TestPodWithoutFindings: the same of a pod.
func TestPodWithoutFindings(t *testing.T) {
	t.Parallel()
	noPods := func(world) sources.Edit {
		return func(s *sources.Snapshot) { s.Pods = s.Pods.Failed(errors.New("may not list pods")) }
	}
	for want, build := range map[string][]func(world) sources.Edit{
		"● ok  pod cert-manager/":      {injector(1)},
		"○ unknown  pod cert-manager/": {injector(0)},
		"\n Running, 0/1 ready":        {injector(0)},
		"\n pods: may not list pods":   {injector(1), noPods},
	} {
		d, _ := open(t, 120, 40, ui.Options{Color: true}, build...)
		d.Press(":")
		d.Type("pod cainjector-7c9b8d5f-k2m4p")
		d.Press("enter")
		d.See(want)
	}
}

// TestUnknownDiskSaysWhy in the headline.
func TestUnknownDiskSaysWhy(t *testing.T) {
	t.Parallel()
	d, _ := open(t, 120, 40, ui.Options{Color: true}, world.incident, func(world) sources.Edit {
		return func(s *sources.Snapshot) { s.Stats = nil }
	})
	d.Press("2", "enter", "enter")
	d.See("○ unknown  disk of node", "\n waiting for its kubelet")
}

// TestDiskShowsEventsOfItsNodeOnly: and the pods that were evicted from it.
func TestDiskShowsEventsOfItsNodeOnly(t *testing.T) {
	t.Parallel()
	d, _ := open(t, 200, 90, ui.Options{Color: true}, world.incident, func(w world) sources.Edit {
		return func(s *sources.Snapshot) {
			about := sources.Ref{Kind: "Pod", Namespace: "shop", Name: "api-6d5f7c9b8-x2x7k"}
			evicted := sources.Event{About: about, Type: "Warning", Reason: "Evicted", Message: "The node was low on resource", Last: w.now}
			s.Events.Value = append(w.events(), evicted)
		}
	})
	d.Press("2", "enter", "enter")
	d.See("FreeDiskSpaceFailed", "Evicted")
	d.NotSee("BackOff ")
	d.Press("esc", "esc", "1", "enter", "down", "enter")
	d.See("worker-0", "BackOff")
}

// TestManyDays: English has its rules.
func TestManyDays(t *testing.T) {
	t.Parallel()
	d, _ := open(t, 120, 40, ui.Options{Color: true}, world.incident, func(w world) sources.Edit {
		return func(s *sources.Snapshot) {
			h := w.history()
			for name := range h.Series {
				owner, _, _, ok := sources.ParseRestartSeries(name)
				if !ok || owner.Name != "worker" {
					continue
				}
				h.Series[name] = nil
				for n := 15 * 24; n >= 0; n-- {
					at := w.ago(time.Duration(n) * time.Hour)
					h.Series[name] = append(h.Series[name], sources.Point{At: at, Value: float64(400-n) / 4})
				}
			}
			s.History = sources.Read(h, w.now)
		}
	})
	d.Press("3", "enter", "down", "enter")
	d.See(" days")
	d.NotSee("daies")
}
