package views

import (
	"daytwo/sources"
	"daytwo/ui"
)

// NewDetail is for benchmarks, which have no root to open views with.
func NewDetail(topic string, about sources.Ref) ui.View { return newDetail(topic, about) }
