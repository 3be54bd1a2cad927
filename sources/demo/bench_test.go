package demo_test

import (
	"testing"
	"time"

	"daytwo/sources/demo"
)

// BenchmarkStartLarge builds and serves 500 nodes with 15,000 pods.
func BenchmarkStartLarge(b *testing.B) {
	for b.Loop() {
		w, err := demo.Start(b.Context(), demo.Options{Scenario: demo.Large, Clock: noon, Tick: make(chan time.Time)})
		if err != nil {
			b.Fatal(err)
		}
		b.StopTimer()
		_ = w.Close()
		b.StartTimer()
	}
}

// BenchmarkStepLarge is one second of the large world's controllers.
func BenchmarkStepLarge(b *testing.B) {
	c := &clock{at: noon()}
	w, err := demo.Start(b.Context(), demo.Options{Scenario: demo.Large, Clock: c.now, Tick: make(chan time.Time)})
	if err != nil {
		b.Fatal(err)
	}
	c.w = w
	defer func() { _ = w.Close() }()
	for b.Loop() {
		c.pass(time.Second)
	}
}
