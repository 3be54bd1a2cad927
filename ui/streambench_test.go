package ui_test

import (
	"fmt"
	"testing"

	"daytwo/actions"
	"daytwo/keymap"
	"daytwo/ui"
)

// BenchmarkStream is a stream view at full speed: a second's lines come in
// thirty pieces, after each of which the screen looks and draws. What it
// reports is how many lines a second one core takes so.
func BenchmarkStream(b *testing.B) {
	for _, second := range []int{50_000, 1_000_000} {
		b.Run(fmt.Sprintf("%d-lines-a-second", second), func(b *testing.B) {
			const looks = 30 // a second, as the root does
			tape, stream := actions.NewTape(), ui.Stream{}
			f := ui.Frame{Theme: ui.NewTheme(true, true, false), Keys: keymap.Default(), Width: 120, Height: 40}
			piece := []byte(nil)
			for i := range second / looks {
				piece = fmt.Appendf(piece, "15:08:12 worker-0 k3s[9188]: level=info msg=\"Connecting to proxy\" id=%08d\n", i)
			}
			for b.Loop() {
				_, _ = tape.Write(piece)
				stream.Read(tape)
				stream.Render(f, 118, 36)
			}
			lines := float64(second/looks) * float64(b.N)
			if stream.Total() != int64(lines) {
				b.Fatalf("%d lines of %.0f", stream.Total(), lines)
			}
			b.ReportMetric(lines/b.Elapsed().Seconds(), "lines/s")
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/lines, "ns/line")
		})
	}
}
