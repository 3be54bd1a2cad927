package uitest

import (
	"fmt"
	"html"
	"image/color"
	"strings"

	uv "github.com/charmbracelet/ultraviolet"
)

// Cells is a terminal's screen, cell by cell.
type Cells interface {
	CellAt(x, y int) *uv.Cell
	Width() int
	Height() int
}

const (
	cellWidth  = 8.4 // of a 14 px monospace font
	cellHeight = 18.0
	margin     = 10.0
)

// SVG draws a screen as a picture that needs no font of its own: every run of
// equal style is a text element stretched to its cells.
func SVG(screen Cells, foreground, background string) string {
	w, h := screen.Width(), screen.Height()
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %.0f %.0f" font-family="ui-monospace,'DejaVu Sans Mono',Menlo,Consolas,monospace" font-size="14">`+"\n",
		float64(w)*cellWidth+2*margin, float64(h)*cellHeight+2*margin)
	fmt.Fprintf(&b, `<rect width="100%%" height="100%%" rx="8" fill="%s"/>`+"\n", background)
	for y := range h {
		for x := 0; x < w; {
			x += svgRun(&b, screen, x, y, foreground)
		}
	}
	b.WriteString("</svg>\n")
	return b.String()
}

// svgRun draws the longest run of cells of one style and returns its width.
func svgRun(b *strings.Builder, screen Cells, x, y int, foreground string) int {
	first := screen.CellAt(x, y)
	if first == nil {
		return 1
	}
	var text strings.Builder
	n := 0
	for x+n < screen.Width() {
		c := screen.CellAt(x+n, y)
		if c == nil || !c.Style.Equal(&first.Style) {
			break
		}
		text.WriteString(c.Content)
		n += max(c.Width, 1)
	}
	if n == 0 {
		return 1
	}
	left, top, width := margin+float64(x)*cellWidth, margin+float64(y)*cellHeight, float64(n)*cellWidth
	if first.Style.Bg != nil {
		fmt.Fprintf(b, `<rect x="%.1f" y="%.1f" width="%.1f" height="%.1f" fill="%s"/>`+"\n", left, top, width, cellHeight, hex(first.Style.Bg))
	}
	if strings.TrimSpace(text.String()) == "" {
		return n
	}
	fill, weight := foreground, ""
	if first.Style.Fg != nil {
		fill = hex(first.Style.Fg)
	}
	if first.Style.Attrs&uv.AttrBold != 0 {
		weight = ` font-weight="bold"`
	}
	fmt.Fprintf(b, `<text x="%.1f" y="%.1f" textLength="%.1f" lengthAdjust="spacingAndGlyphs" xml:space="preserve" fill="%s"%s>%s</text>`+"\n",
		left, top+cellHeight*0.76, width, fill, weight, html.EscapeString(text.String()))
	return n
}

func hex(c color.Color) string {
	r, g, b, _ := c.RGBA()
	return fmt.Sprintf("#%02x%02x%02x", r>>8, g>>8, b>>8)
}

// SVG draws what is on the terminal now, in the dark theme's colours where a
// cell has none of its own.
func (t *Terminal) SVG() string { return SVG(t.em, "#d5d9ea", "#15161e") }
