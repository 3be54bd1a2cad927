package kube

import (
	"cmp"
	"context"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"slices"
	"sync"
	"time"

	core "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"daytwo/sources"
)

// secretSlots is how many Secrets are read at once.
const secretSlots = 4

// secrets reads the TLS Secrets that Ingresses name, each by its name: no
// list, no watch, so that a role can allow those alone. They are read again
// when the Ingresses or the Certificates change, and every few minutes.
type secrets struct {
	feed

	w    *world
	look chan struct{} // capacity 1: the Ingresses or Certificates changed

	values []sources.TLSSecret // guarded by feed.mu
}

func newSecrets(w *world) *secrets {
	s := &secrets{w: w, look: make(chan struct{}, 1)}
	s.wake = w.wake
	again := func() {
		w.wake()
		select {
		case s.look <- struct{}{}:
		default:
		}
	}
	w.ingresses.wake, w.certs.wake = again, again
	w.feeds = append(w.feeds, &s.feed)
	return s
}

// run reads until ctx ends.
func (s *secrets) run(ctx context.Context) {
	every := time.NewTicker(s.w.c.pace.secrets)
	defer every.Stop()
	seen := uint64(0)
	for {
		select {
		case <-ctx.Done():
			return
		case <-every.C:
			seen = 0
		case <-s.look:
		}
		from := s.w.ingresses.state()
		version := 1 + from.version + s.w.certs.state().version
		if from.at.IsZero() || version == seen {
			if from.err != nil && s.state().at.IsZero() {
				s.fail(from.err) // which Secrets there are is not known
			}
			continue
		}
		if s.readAll(ctx) {
			seen = version
		}
		pause(ctx, s.w.c.pace.coalesce)
	}
}

// named are the Secrets that Ingresses name, each once.
func (s *secrets) named() []sources.Ref {
	var refs []sources.Ref
	s.w.ingresses.each(func(i *sources.Ingress) {
		for _, n := range i.Secrets {
			refs = append(refs, sources.Ref{Kind: "Secret", Namespace: i.Ref.Namespace, Name: n})
		}
	})
	slices.SortFunc(refs, sources.CompareRefs)
	return slices.Compact(refs)
}

// readAll reads every named Secret and reports whether the server answered.
func (s *secrets) readAll(ctx context.Context) bool {
	refs := s.named()
	out, errs := make([]sources.TLSSecret, len(refs)), make([]error, len(refs))
	slots := make(chan struct{}, secretSlots)
	var wg sync.WaitGroup
	for i, ref := range refs {
		wg.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			out[i], errs[i] = s.w.c.tlsSecret(ctx, ref)
		})
	}
	wg.Wait()
	if ctx.Err() != nil {
		return false
	}
	if err := cmp.Or(errs...); err != nil {
		s.fail(err)
		return false
	}
	s.mu.Lock()
	s.at, s.err, s.values = s.w.c.now(), allDenied(out), out
	s.version++
	s.mu.Unlock()
	s.wake()
	return true
}

// allDenied is the one permission that is missing when no Secret at all may
// be read.
func allDenied(list []sources.TLSSecret) error {
	for i := range list {
		if _, denied := errors.AsType[*sources.AccessError](list[i].Err); !denied {
			return nil
		}
	}
	if len(list) == 0 {
		return nil
	}
	n := NeedSecrets()
	return &sources.AccessError{Verb: n.Verb, Group: n.Group, Resource: n.Resource}
}

func (s *secrets) list() []sources.TLSSecret {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.values
}

// tlsSecret reads one Secret and keeps its leaf certificate alone. What is
// wrong with the Secret is in its Err; the error returned means that the
// server could not be asked.
func (c *Client) tlsSecret(ctx context.Context, ref sources.Ref) (sources.TLSSecret, error) {
	out := sources.TLSSecret{Ref: ref}
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	got := &core.Secret{}
	err := c.set.CoreV1().RESTClient().Get().Namespace(ref.Namespace).Resource("secrets").Name(ref.Name).
		MaxRetries(0).Do(ctx).Into(got)
	clear(got.Data[core.TLSPrivateKeyKey]) // never kept, not even until the next collection
	var denied *sources.AccessError
	switch {
	case apierrors.IsNotFound(err):
		out.Err = sources.ErrNoSecret
	case err != nil:
		err = c.explain(err, NeedSecrets(), requestTimeout)
		if !errors.As(err, &denied) {
			return out, err
		}
		denied.Namespace = ref.Namespace
		out.Err = denied
	default:
		fillSecret(&out, leaf(got.Data[core.TLSCertKey]))
	}
	return out, nil
}

func fillSecret(out *sources.TLSSecret, cert *x509.Certificate) {
	if cert == nil {
		out.Err = sources.ErrNoCertificate
		return
	}
	out.NotBefore, out.NotAfter = cert.NotBefore, cert.NotAfter
	out.Issuer = name(cert.Issuer.String())
	out.Serial = cert.SerialNumber.Text(16)
	sum := sha256.Sum256(cert.Raw)
	out.SHA256 = hex.EncodeToString(sum[:])
	for _, n := range cert.DNSNames {
		out.DNSNames = append(out.DNSNames, name(n))
	}
}
