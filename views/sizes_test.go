package views_test

// size is a terminal's.
type size struct {
	name          string
	width, height int
}

// sizes are those that screens are kept in.
func sizes() []size {
	return []size{{"80x24", 80, 24}, {"120x40", 120, 40}, {"200x50", 200, 50}}
}
