package sources

import (
	"context"
	"io"
)

// ExecAsk says where a shell is wanted: in one container of one pod.
type ExecAsk struct {
	Pod       Ref
	Container string
}

// Exec opens a terminal in a container.
type Exec interface {
	// Exec runs a shell that the container has on a terminal until it ends, or
	// ctx does. Sizes sent to resize change the terminal.
	Exec(ctx context.Context, ask ExecAsk, in io.Reader, out io.Writer, size TerminalSize, resize <-chan TerminalSize) error
}
