// Package views holds the screens: the cockpit with its attention list and
// five panes, each pane at full size, and the details with their evidence.
// Views show what was judged; they judge nothing themselves.
package views
