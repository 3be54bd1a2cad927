package demo

// Config is a configuration that fits the scenario.
func (w *World) Config() string { return "" }
