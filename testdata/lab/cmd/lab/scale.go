package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"daytwolab/internal/kwok"
)

// scale adds nodes that exist in the API alone.
func (t tools) scale(ctx context.Context, args []string) error {
	if len(args) != 2 {
		return errors.New("usage: scale NODES PODS_EACH (0 0 removes them)")
	}
	nodes, err := strconv.Atoi(args[0])
	if err != nil || nodes < 0 {
		return fmt.Errorf("%q nodes: want a number from 0", args[0])
	}
	pods, err := strconv.Atoi(args[1])
	if err != nil || pods < 0 || pods > 110 {
		return fmt.Errorf("%q pods: want a number from 0 to 110", args[1])
	}
	lab, err := t.place.Load()
	if err != nil {
		return err
	}
	if err := kwok.Scale(ctx, t.place, t.build, lab.Version, nodes, pods, t.log); err != nil {
		return err
	}
	t.log.Step("%d nodes with %d pods each stand beside the real servers", nodes, pods)
	return nil
}

// keepLeases is what scale starts beside KWOK.
func (t tools) keepLeases(ctx context.Context, args []string) error {
	if len(args) != 1 {
		return errors.New("usage: keep-leases NODES")
	}
	n, err := strconv.Atoi(args[0])
	if err != nil || n < 1 {
		return fmt.Errorf("%q nodes: want a number from 1", args[0])
	}
	return kwok.KeepLeases(ctx, t.place, n)
}
