package kube

import (
	"context"
	"errors"
	"fmt"
	"time"

	coordination "k8s.io/api/coordination/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	coordinationclient "k8s.io/client-go/kubernetes/typed/coordination/v1"

	"daytwo/sources"
)

const (
	leaseName = "daytwo"
	// leaseRun is the annotation that names the holder's run.
	leaseRun = "daytwo/run"
	// leaseFor is how long a holder is believed to be alive after its last
	// sign of life: several missed ones, as the API server may restart.
	leaseFor = time.Minute
	// leaseTries bounds the races for it that are run.
	leaseTries = 5
)

// Lease is the Lease object by which daytwo on one machine sees that daytwo
// on another changes the cluster.
type Lease struct {
	client    *Client
	leases    coordinationclient.LeaseInterface
	namespace string
}

// Lease returns the cluster's lease in a namespace, with a connection for
// changes. Nothing is sent.
func (c *Client) Lease(namespace string) (*Lease, error) {
	set, err := c.ForChanges()
	if err != nil {
		return nil, err
	}
	return &Lease{client: c, leases: set.CoordinationV1().Leases(namespace), namespace: namespace}, nil
}

// Take takes the lease if it is free or this holder's own, and renews it.
func (l *Lease) Take(ctx context.Context, by sources.Holder) error {
	return l.change(ctx, true, func(lease *coordination.Lease) error {
		if who := holderOf(lease); who.Who != "" && !same(who, by) {
			return l.held(lease)
		}
		now := metav1.NewMicroTime(l.client.now())
		if !same(holderOf(lease), by) {
			turns := int32(0)
			if lease.Spec.LeaseTransitions != nil {
				turns = *lease.Spec.LeaseTransitions + 1
			}
			lease.Spec.LeaseTransitions, lease.Spec.AcquireTime = &turns, &now
		}
		seconds := int32(leaseFor / time.Second)
		lease.Spec.HolderIdentity, lease.Spec.RenewTime, lease.Spec.LeaseDurationSeconds = &by.Who, &now, &seconds
		if lease.Annotations == nil {
			lease.Annotations = map[string]string{}
		}
		lease.Annotations[leaseRun] = by.Run
		return nil
	})
}

// Release gives the lease back if this holder has it.
func (l *Lease) Release(ctx context.Context, by sources.Holder) error {
	return l.change(ctx, false, func(lease *coordination.Lease) error {
		if !same(holderOf(lease), by) {
			return errUnchanged
		}
		free(lease)
		return nil
	})
}

// Free takes the lease away from a holder that stopped renewing it.
func (l *Lease) Free(ctx context.Context, who string) error {
	return l.change(ctx, false, func(lease *coordination.Lease) error {
		held := l.held(lease)
		switch {
		case held.By.Who == "":
			return errUnchanged
		case held.By.Who != who, !held.Orphaned:
			return held
		}
		free(lease)
		return nil
	})
}

// errUnchanged says that there is nothing to change.
var errUnchanged = errors.New("nothing to change")

// change reads the lease, lets edit change it, and writes it, again if
// somebody else was faster. Where there is none, a new one is made if create.
func (l *Lease) change(ctx context.Context, create bool, edit func(*coordination.Lease) error) error {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	var err error
	for range leaseTries {
		var lease *coordination.Lease
		verb := "get"
		lease, err = l.leases.Get(ctx, leaseName, metav1.GetOptions{})
		absent := apierrors.IsNotFound(err)
		switch {
		case absent && !create:
			return nil
		case absent:
			lease = &coordination.Lease{ObjectMeta: metav1.ObjectMeta{Name: leaseName, Namespace: l.namespace}}
		case err != nil:
			return l.explain(verb, err)
		}
		if err = edit(lease); errors.Is(err, errUnchanged) {
			return nil
		} else if err != nil {
			return err
		}
		if absent {
			verb = "create"
			_, err = l.leases.Create(ctx, lease, metav1.CreateOptions{FieldManager: "daytwo"})
		} else {
			verb = "update"
			_, err = l.leases.Update(ctx, lease, metav1.UpdateOptions{FieldManager: "daytwo"})
		}
		if !apierrors.IsConflict(err) && !apierrors.IsAlreadyExists(err) {
			return l.explain(verb, err)
		}
	}
	return l.explain("update", err)
}

func (l *Lease) explain(verb string, err error) error {
	switch {
	case err == nil:
		return nil
	case apierrors.IsForbidden(err):
		return &sources.AccessError{Verb: verb, Group: coordination.GroupName, Resource: "leases", Namespace: l.namespace}
	}
	return fmt.Errorf("lease %s/%s: %w", l.namespace, leaseName, l.client.explain(err, Need{Verb: verb, Group: coordination.GroupName, Resource: "leases"}, requestTimeout))
}

// held says who has a lease.
func (l *Lease) held(lease *coordination.Lease) *sources.HeldError {
	e := &sources.HeldError{What: "the cluster", By: holderOf(lease)}
	lasts := leaseFor
	if s := lease.Spec.LeaseDurationSeconds; s != nil && *s > 0 {
		lasts = time.Duration(*s) * time.Second
	}
	if lease.Spec.RenewTime != nil {
		e.Seen = lease.Spec.RenewTime.Time
	}
	e.Orphaned = l.client.now().After(e.Seen.Add(lasts))
	return e
}

func holderOf(lease *coordination.Lease) sources.Holder {
	var h sources.Holder
	if lease.Spec.HolderIdentity == nil {
		return h
	}
	h.Who = sources.Clean(*lease.Spec.HolderIdentity, sources.MaxName)
	h.Run = sources.Clean(lease.Annotations[leaseRun], sources.MaxName)
	if lease.Spec.AcquireTime != nil {
		h.Since = lease.Spec.AcquireTime.Time
	}
	return h
}

// same reports that two are one holder: a run that is resumed is.
func same(a, b sources.Holder) bool { return a.Who == b.Who && a.Run == b.Run }

func free(lease *coordination.Lease) {
	lease.Spec.HolderIdentity = nil
	delete(lease.Annotations, leaseRun)
}
