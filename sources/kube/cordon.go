package kube

import (
	"context"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
)

// Cordoner looks at and sets spec.unschedulable of nodes.
type Cordoner struct {
	client *Client
	set    kubernetes.Interface
}

// Cordoner returns one with a connection for changes.
func (c *Client) Cordoner() (*Cordoner, error) {
	set, err := c.ForChanges()
	if err != nil {
		return nil, err
	}
	return &Cordoner{client: c, set: set}, nil
}

// Unschedulable says if a node is cordoned.
func (c *Cordoner) Unschedulable(ctx context.Context, node string) (bool, error) {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	n, err := c.set.CoreV1().Nodes().Get(ctx, node, metav1.GetOptions{})
	if err != nil {
		return false, c.failed("looking at node "+node, err, Need{Verb: "get", Resource: "nodes"})
	}
	return n.Spec.Unschedulable, nil
}

// SetUnschedulable cordons a node, or lifts that. The control plane adds and
// removes the taint.
func (c *Cordoner) SetUnschedulable(ctx context.Context, node string, to bool) error {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	patch := []byte(`{"spec":{"unschedulable":null}}`) // as kubectl does: absent is false
	if to {
		patch = []byte(`{"spec":{"unschedulable":true}}`)
	}
	_, err := c.set.CoreV1().Nodes().Patch(ctx, node, types.StrategicMergePatchType, patch, metav1.PatchOptions{FieldManager: "daytwo"})
	if err != nil {
		return c.failed("changing node "+node, err, Need{Verb: "patch", Resource: "nodes"})
	}
	return nil
}

func (c *Cordoner) failed(doing string, err error, need Need) error {
	if apierrors.IsNotFound(err) && !isMissing(err) {
		return fmt.Errorf("%s: %w", doing, &plainError{text: "the cluster has no such node (any more)", err: err})
	}
	return fmt.Errorf("%s: %w", doing, c.client.explain(err, need, requestTimeout))
}
