package ui

import (
	"context"
	"time"

	"daytwo/actions"
	"daytwo/keymap"
	"daytwo/sources"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/colorprofile"
	"github.com/charmbracelet/x/ansi"
)

// toastFor is how long a toast is in sight.
const toastFor = 4 * time.Second

// Store is where the root finds the newest snapshot: sources.Store.
type Store interface {
	Snapshot() *sources.Snapshot
	Changed() <-chan struct{}
}

// Runner is where the root finds how runs stand: actions.Runner.
type Runner interface {
	Runs() []actions.Run
	Changed() <-chan struct{}
}

// Options is what the root is made of.
type Options struct {
	Store   Store
	Runner  Runner // nil: no runs
	Clock   func() time.Time
	Keys    keymap.Map
	Home    View                // the bottom view
	Objects func(Frame) []Entry // for the palette; nil: none
	// Tools make the commands of wizards for an object; see Frame.For.
	Tools []func(Frame, sources.Ref) []Command
	Title string // of the program, in header and window title

	ReadOnly bool
	ASCII    bool
	Mouse    bool
	Color    bool
	Theme    ThemeName

	// Log receives what must not go to the terminal: stacks. May be nil.
	Log sources.Logger
	// Driven: no waiting for time or changes; who drives the root sends
	// Heartbeat and Changed itself. For tests.
	Driven bool
}

// Root is the model of the whole screen: a stack of views, of which the top
// one is in sight, between header and footer.
type Root struct {
	o        Options
	ctx      context.Context //nolint:containedctx // the program's lifetime, for Work
	done     <-chan struct{} // ends what the root waits for
	fail     func(error)     // ends the program
	pace     *pace           // of what is drawn; nil: nothing is
	snapshot *sources.Snapshot
	runs     []actions.Run
	watch    watch
	dark     bool
	profile  colorprofile.Profile
	theme    Theme
	width    int
	height   int
	views    []View
	over     overlay   // help, palette or question; nil: none
	later    []tea.Msg // what waits for the end of an overlay
	toast    toast
	frame    Frame // of the message being handled, and of the next View
}

// toast is one line for a few seconds.
type toast struct {
	severity sources.Severity
	text     string
	until    time.Time
}

// overlay is what lies above the view and takes all keys.
type overlay interface {
	// update answers a message; true closes the overlay.
	update(tea.Msg, Frame) (closed bool, cmd tea.Cmd)
	// box is what it shows within a screen of some size.
	box(f Frame, width, height int) ([]string, Rect)
}

// New makes the root of a screen. It starts dark: some terminals never say
// what their background is.
func New(o Options) *Root {
	if o.Clock == nil {
		o.Clock = time.Now
	}
	if o.Title == "" {
		o.Title = "daytwo"
	}
	if o.Log == nil {
		o.Log = func(string, ...any) {}
	}
	r := &Root{
		o: o, views: []View{o.Home}, dark: o.Theme != Light, profile: colorprofile.TrueColor,
		ctx: context.Background(), fail: func(error) {}, snapshot: o.Store.Snapshot(),
	}
	r.restyle()
	r.lookAtRuns()
	r.frame = r.newFrame()
	r.announce()
	return r
}

// Init starts what the root waits for and asks for the terminal's background.
func (r *Root) Init() tea.Cmd {
	var cmds []tea.Cmd
	if !r.o.Driven {
		cmds = append(cmds, r.look(0), r.lookRuns(0), r.beat())
	}
	if r.o.Theme == Auto || r.o.Theme == "" {
		cmds = append(cmds, tea.RequestBackgroundColor)
	}
	return tea.Batch(cmds...)
}

// redraw draws the whole screen anew. A frame that was on its way when the
// terminal's size changed may have left scroll margins of the old size, within
// which a new frame would scroll: they go first, and the message that they are
// gone clears the screen.
func redraw() tea.Cmd { return tea.Raw(ansi.SetTopBottomMargins(0, 0)) }

// Update handles one message: first what changes the frame, then the rest
// with that frame.
func (r *Root) Update(msg tea.Msg) (model tea.Model, cmd tea.Cmd) {
	defer func() {
		if p := recover(); p != nil {
			r.broke(p)
			model, cmd = r, nil
		}
	}()
	again := r.notice(msg)
	r.frame = r.newFrame()
	cmd = r.guard(r.answer(msg))
	return r, tea.Batch(again, cmd, r.release(), r.lookAll(msg), r.rewatch(msg))
}

// notice takes in what a frame is made of; it returns the command that waits
// for the next of its kind.
func (r *Root) notice(msg tea.Msg) tea.Cmd {
	switch m := msg.(type) {
	case tea.WindowSizeMsg:
		first := r.width == 0
		r.width, r.height = m.Width, m.Height
		if !first {
			return redraw()
		}
	case tea.RawMsg:
		return tea.ClearScreen // redraw's margins are gone
	case tea.ColorProfileMsg:
		r.profile = m.Profile
		r.restyle()
	case tea.BackgroundColorMsg:
		if r.o.Theme == Auto || r.o.Theme == "" {
			r.dark = m.IsDark()
			r.restyle()
		}
	case heartbeatMsg:
		r.snapshot = r.o.Store.Snapshot()
		r.lookAtRuns()
		return r.beat()
	case changedMsg:
		r.snapshot = r.o.Store.Snapshot()
		return r.look(leastBetweenLooks)
	case RunsMsg:
		r.lookAtRuns()
		return r.lookRuns(leastBetweenLooks)
	}
	return nil
}

// holder is an overlay that something depends on: what it is left with, and
// whether what wants the screen waits for its end.
type holder interface {
	leave() tea.Cmd
	holds() bool
}

// held reports whether what wants the screen has to wait.
func (r *Root) held() bool {
	h, ok := r.over.(holder)
	return ok && h.holds()
}

// release hands on what waited for that.
func (r *Root) release() tea.Cmd {
	if r.held() || len(r.later) == 0 {
		return nil
	}
	var cmds []tea.Cmd
	for _, msg := range r.later {
		cmds = append(cmds, func() tea.Msg { return msg })
	}
	r.later = nil
	return tea.Batch(cmds...)
}

// answer hands a message to who it is for.
func (r *Root) answer(msg tea.Msg) tea.Cmd {
	switch msg.(type) {
	case dialogMsg, openMsg, asideMsg:
		if r.held() {
			r.later = append(r.later, msg)
			return nil
		}
	}
	return r.hand(msg)
}

func (r *Root) hand(msg tea.Msg) tea.Cmd {
	switch m := msg.(type) {
	case tea.WindowSizeMsg, tea.ColorProfileMsg, tea.BackgroundColorMsg, heartbeatMsg, changedMsg, watchedMsg:
		return nil // in the frame
	case dialogMsg:
		left := r.leaveOver()
		r.over = m.over
		if p, ok := m.over.(*pending); ok {
			return tea.Batch(left, p.do)
		}
		return left
	case triedMsg:
		return r.tried(m)
	case openMsg:
		return r.open(m)
	case backMsg:
		return r.goBack()
	case toastMsg:
		r.say(m.severity, m.text)
	case workMsg:
		ctx := r.ctx
		return func() tea.Msg { return m.do(ctx) }
	case asideMsg:
		return r.stepAside(m.Aside)
	case failedMsg:
		r.fail(m.err)
	case tea.KeyPressMsg:
		return r.key(m)
	case tea.PasteMsg:
		return r.input(m)
	case tea.MouseMsg:
		return r.mouse(m)
	default:
		return r.tellAll(msg)
	}
	return nil
}

// tellAll gives a view's own message to every view: the one that asked may
// be covered by another meanwhile.
func (r *Root) tellAll(msg tea.Msg) tea.Cmd {
	cmds := make([]tea.Cmd, 0, len(r.views))
	for _, v := range r.views {
		cmds = append(cmds, v.Update(msg, r.frame))
	}
	return tea.Batch(cmds...)
}

// lookAll lets the views look at the snapshot that want to, when it may be a
// newer one.
func (r *Root) lookAll(msg tea.Msg) tea.Cmd {
	switch msg.(type) {
	case heartbeatMsg, changedMsg:
	default:
		return nil
	}
	var cmds []tea.Cmd
	for _, v := range r.views {
		if l, ok := v.(Looker); ok {
			cmds = append(cmds, l.Look(r.frame))
		}
	}
	return tea.Batch(cmds...)
}

// input gives a message to the overlay if there is one, else to the top view.
func (r *Root) input(msg tea.Msg) tea.Cmd {
	if r.over == nil {
		return r.top().Update(msg, r.frame)
	}
	closed, cmd := r.over.update(msg, r.frame)
	if closed {
		r.over = nil
	}
	return cmd
}

// leaveOver closes what lies above the view without an answer.
func (r *Root) leaveOver() tea.Cmd {
	over := r.over
	r.over = nil
	if h, ok := over.(holder); ok {
		return h.leave()
	}
	return nil
}

// mouse finds out what was hit. Coordinates are translated to those of the
// part that gets the message.
func (r *Root) mouse(msg tea.MouseMsg) tea.Cmd {
	at, s := msg.Mouse(), r.arranged()
	switch {
	case r.over != nil:
		_, area := r.over.box(r.frame, r.width, r.height)
		if _, click := msg.(tea.MouseClickMsg); click && area.H > 0 && !area.Contains(at.X, at.Y) {
			return r.leaveOver()
		}
		return r.input(Shift(msg, area.X, area.Y))
	case s.body.Contains(at.X, at.Y):
		return r.top().Update(Shift(msg, s.body.X, s.body.Y), r.frame)
	case s.footer.Contains(at.X, at.Y):
		if click, ok := msg.(tea.MouseClickMsg); ok && click.Button == tea.MouseLeft {
			return r.footerClick(at.X)
		}
	}
	return nil
}

func (r *Root) top() View { return r.views[len(r.views)-1] }

// tried hands the overlay in sight what came of what it waited for. What comes
// next is there before the next key, as after a key of its own.
func (r *Root) tried(m triedMsg) tea.Cmd {
	if r.over != m.of {
		return nil
	}
	return r.atOnce(r.input(m))
}

// open puts a view on top.
func (r *Root) open(m openMsg) tea.Cmd {
	left := []tea.Cmd{r.leaveOver()}
	for m.past && len(r.views) > 1 {
		if _, passing := r.top().(Passing); !passing {
			break
		}
		left = append(left, r.goBack())
	}
	r.views = append(r.views, m.view)
	r.frame = r.newFrame()
	return tea.Batch(append(left, m.then)...)
}

// goBack takes the top view off; the bottom one stays.
func (r *Root) goBack() tea.Cmd {
	if len(r.views) == 1 {
		return nil
	}
	gone := r.top()
	r.views = r.views[:len(r.views)-1]
	r.frame = r.newFrame()
	if c, ok := gone.(Closer); ok {
		return c.Close()
	}
	return nil
}

func (r *Root) say(s sources.Severity, text string) {
	r.toast = toast{severity: s, text: Clean(text), until: r.frame.Now.Add(toastFor)}
}

// newFrame is what views see until the next message.
func (r *Root) newFrame() Frame {
	body := r.arranged().body
	return Frame{
		Snapshot: r.snapshot, Runs: r.runs, Now: r.o.Clock(), Theme: r.theme, Keys: r.o.Keys,
		Width: body.W, Height: body.H, ReadOnly: r.o.ReadOnly, tools: r.o.Tools,
	}
}

func (r *Root) arranged() screen { return arrange(r.width, r.height, stale(r.snapshot)) }

// restyle makes the theme anew after what it depends on has changed.
func (r *Root) restyle() {
	color := r.o.Color && r.o.Theme != None && r.profile > colorprofile.ASCII
	if color && r.profile == colorprofile.ANSI {
		r.theme = NewBasicTheme(r.dark, r.o.ASCII)
		return
	}
	r.theme = NewTheme(r.dark, color, r.o.ASCII)
}
