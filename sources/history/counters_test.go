package history_test

import (
	"slices"
	"testing"
	"time"

	"daytwo/sources"
	"daytwo/sources/history"
)

func TestEachCheckNotesWhereCountersStand(t *testing.T) {
	t.Parallel()
	c, dir := newClock(), t.TempDir()
	series := func(container string) string { return sources.RestartSeries(api(), "api-1", container) }
	for _, check := range []struct {
		after       time.Duration
		restarts    int32
		moved, calm []float64
	}{
		{0, 0, nil, nil}, // its creation says that it stood at zero
		{time.Hour, 0, []float64{0}, []float64{0}},
		{10 * time.Minute, 0, []float64{0}, []float64{0}},
		{time.Hour, 5, []float64{0, 5}, []float64{0, 0}},
		{time.Hour, 5, []float64{0, 5, 5}, []float64{0, 0, 0}},
		{20 * time.Minute, 5, []float64{0, 5, 5}, []float64{0, 0, 0}},
		{40 * time.Minute, 11, []float64{0, 5, 5, 11}, []float64{0, 0, 0, 0}},
	} {
		c.add(check.after)
		h := open(t, dir, c)
		d := sit(t, h, c)
		d.look(check.restarts)
		d.end()
		if got := values(history.Stored(t, h, series("app"))); !slices.Equal(got, check.moved) {
			t.Errorf("%s: the counter is %v, want %v", c.now(), got, check.moved)
		}
		if got := values(history.Stored(t, h, series("calm"))); !slices.Equal(got, check.calm) {
			t.Errorf("%s: the counter at zero is %v, want %v", c.now(), got, check.calm)
		}
		if err := h.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestWhatHasEndedIsNotNotedAgain(t *testing.T) {
	t.Parallel()
	c, dir := newClock(), t.TempDir()
	for range 3 {
		c.add(time.Hour)
		h := open(t, dir, c)
		d := sit(t, h, c)
		d.store.Publish(func(s *sources.Snapshot) {
			s.Pods = sources.Read([]sources.Pod{{
				Namespace: "shop", Name: "api-1", UID: "u1", Owner: api(), Created: noon().Add(-day), Phase: "Succeeded",
				Containers: []sources.Container{{Name: "app", Restarts: 2}, {Name: "calm"}},
			}}, c.now())
		})
		d.end()
		if err := h.Close(); err != nil {
			t.Fatal(err)
		}
	}
	h := open(t, dir, c)
	app, calm := sources.RestartSeries(api(), "api-1", "app"), sources.RestartSeries(api(), "api-1", "calm")
	if a, z := history.Stored(t, h, app), history.Stored(t, h, calm); len(a) != 1 || len(z) != 0 {
		t.Errorf("of a finished pod %v and %v", a, z)
	}
}

func TestCountersThatStandStillTakeNoRoom(t *testing.T) {
	t.Parallel()
	c := newClock()
	h := open(t, t.TempDir(), c)
	const series = "restarts/Deployment/n/d/p/c"
	moved := noon().Add(-20*day - 15*time.Minute)
	samples := every(series, noon().Add(-60*day), noon(), 30*time.Minute, func(at time.Time) float64 {
		if at.Before(moved) {
			return 5
		}
		return 9
	})
	for n := 100; len(samples) > 0; samples = samples[n:] {
		n = min(len(samples), n)
		add(t, h, samples[:n]...)
		if err := h.Thin(t.Context(), samples[n-1].At); err != nil {
			t.Fatal(err)
		}
	}
	got := history.Stored(t, h, series)
	if raw, weeks := 2*48, 9; len(got) > raw+weeks+8 {
		t.Errorf("%d samples of a counter that moved once", len(got))
	}
	i := slices.IndexFunc(got, func(p sources.Point) bool { return p.Value == 9 })
	if i < 1 || got[i].At.Sub(got[i-1].At) > time.Hour || got[i].At.Before(moved) || got[i-1].At.After(moved) {
		t.Errorf("it moved at %v: %v", moved, got[max(i-1, 0):i+1])
	}
	past := load(t, h, noon()).Points(series)
	if len(past) > 20 || !past[len(past)-1].At.Equal(noon()) {
		t.Errorf("%d points are shown: %v", len(past), past)
	}
	if n := slices.IndexFunc(past, func(p sources.Point) bool { return p.At.After(noon().Add(-14 * day)) }); n < 1 {
		t.Errorf("none is left from before the days that count: %v", past)
	}
}
