package views_test

import (
	"testing"
	"time"

	"daytwo/keymap"
	"daytwo/sources"
	"daytwo/sources/rules"
	"daytwo/ui"
	"daytwo/ui/uitest"
	"daytwo/views"
)

// frameOf is one frame of a world, without a screen around it.
func frameOf(width, height int, build func(world) sources.Edit) ui.Frame {
	clock := uitest.NewClock()
	w := world{now: clock.Now()}
	store := sources.NewStore(sources.DefaultSettings(), rules.Judge, clock.Now)
	store.Publish(build(w))
	return ui.Frame{
		Snapshot: store.Snapshot(), Now: w.now, Theme: ui.NewTheme(true, true, false),
		Keys: keymap.Default(), Width: width, Height: height,
	}
}

func large(w world) sources.Edit { return w.many(200, 6000) }

// BenchmarkCockpit renders the home of 200 nodes and 6,000 pods, as happens
// after every message.
func BenchmarkCockpit(b *testing.B) {
	f := frameOf(200, 48, large)
	v := views.NewCockpit(f.Keys)
	b.ReportAllocs()
	for b.Loop() {
		v.Render(f)
	}
}

// BenchmarkCockpitSecond renders it when a second has passed, which is the
// time when every part is drawn again.
func BenchmarkCockpitSecond(b *testing.B) {
	f := frameOf(200, 48, large)
	v := views.NewCockpit(f.Keys)
	b.ReportAllocs()
	for b.Loop() {
		f.Now = f.Now.Add(time.Second)
		v.Render(f)
	}
}

// BenchmarkCockpitCommands is what every key costs before it is dispatched.
func BenchmarkCockpitCommands(b *testing.B) {
	f := frameOf(200, 48, large)
	v := views.NewCockpit(f.Keys)
	v.Render(f)
	b.ReportAllocs()
	for b.Loop() {
		v.Commands(f)
	}
}

// BenchmarkDetail renders the detail of one of the large cluster's nodes.
func BenchmarkDetail(b *testing.B) {
	f := frameOf(200, 48, large)
	d := views.NewDetail("node", sources.Ref{Kind: "Node", Name: "worker-7"})
	b.ReportAllocs()
	for b.Loop() {
		d.Render(f)
	}
}

// BenchmarkObjects lists all that the palette can go to.
func BenchmarkObjects(b *testing.B) {
	f := frameOf(200, 48, large)
	b.ReportAllocs()
	for b.Loop() {
		views.Objects(f)
	}
}
