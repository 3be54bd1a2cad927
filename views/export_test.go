package views

import (
	"daytwo/sources"
	"daytwo/ui"
)

// NewDetail is for benchmarks, which have no root to open views with.
func NewDetail(topic string, about sources.Ref) ui.View { return newDetail(topic, about) }

// Quote is for the test with a real shell.
func Quote(s string) string { return sources.Quote(s) }
