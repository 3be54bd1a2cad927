package kube

import (
	"errors"
	"slices"
	"testing"

	core "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"daytwo/sources"
	"daytwo/sources/demo"
)

// A Secret that was looked at and serves nothing is told from one that could
// not be read.
func TestSecretsWithoutACertificate(t *testing.T) {
	t.Parallel()
	b := start(t, demo.Options{Scenario: demo.Incident}).look("admin")
	gone := b.until("Secrets", func(s *sources.Snapshot) bool { return len(s.Secrets.Value) > 1 }).Secrets.Value
	is := func(ref sources.Ref, err error) func(*sources.Snapshot) bool {
		return func(s *sources.Snapshot) bool {
			return slices.ContainsFunc(s.Secrets.Value, func(x sources.TLSSecret) bool { return x.Ref == ref && errors.Is(x.Err, err) })
		}
	}
	secret, err := b.admin.CoreV1().Secrets(gone[1].Ref.Namespace).Get(t.Context(), gone[1].Ref.Name, metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	secret.Data[core.TLSCertKey] = []byte("no certificate")
	if _, err := b.admin.CoreV1().Secrets(secret.Namespace).Update(t.Context(), secret, metav1.UpdateOptions{}); err != nil {
		t.Fatal(err)
	}
	if err := b.admin.CoreV1().Secrets(gone[0].Ref.Namespace).Delete(t.Context(), gone[0].Ref.Name, metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	b.until("a Secret that is gone", is(gone[0].Ref, sources.ErrNoSecret))
	b.until("a Secret that holds no certificate", is(gone[1].Ref, sources.ErrNoCertificate))
}
