package kube

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"syscall"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"daytwo/sources"
)

// plainError is one line for people over the error that a library gave.
type plainError struct {
	text string
	err  error
}

func (e *plainError) Error() string { return e.text }
func (e *plainError) Unwrap() error { return e.err }

// oneLine is an error's text made fit for a line of the screen.
func oneLine(err error) string { return sources.Clean(err.Error(), 300) }

// explain says in one line why the API server could not be read. need is what
// was asked for, d how long it was waited for.
func (c *Client) explain(err error, need Need, d time.Duration) error {
	var status apierrors.APIStatus
	if errors.As(err, &status) {
		return c.explainStatus(err, status.Status(), need)
	}
	text := c.explainTLS(err)
	if text == "" {
		text = c.explainNetwork(err, d)
	}
	return &plainError{text: text, err: err}
}

// explainStatus is for what the server itself answered.
func (c *Client) explainStatus(err error, s metav1.Status, need Need) error {
	said := sources.Clean(s.Message, 200)
	text := fmt.Sprintf("api server answered %d: %s", s.Code, said)
	switch {
	case apierrors.IsForbidden(err):
		return &sources.AccessError{Verb: need.Verb, Group: need.Group, Resource: need.Resource}
	case apierrors.IsUnauthorized(err):
		text = "unauthorized: the token or client certificate was not accepted"
	case apierrors.IsTooManyRequests(err):
		text = "api server is overloaded (429 too many requests)"
	case isMissing(err) && need.everywhere():
		text = c.host + " answers 404: there is no Kubernetes API at this address, see the kubeconfig's server"
	case isMissing(err):
		return sources.ErrNotInstalled
	case apierrors.IsNotFound(err):
		text = said
	case apierrors.IsTimeout(err), apierrors.IsServerTimeout(err):
		text = fmt.Sprintf("api server took too long itself (%d): %s", s.Code, said)
	case s.Code == http.StatusServiceUnavailable:
		text = "api server is not available (503): " + said
	}
	return &plainError{text: text, err: err}
}

// isMissing reports that the server does not know a resource at all, which is
// different from an object that is not there.
func isMissing(err error) bool {
	var status apierrors.APIStatus
	if !apierrors.IsNotFound(err) || !errors.As(err, &status) {
		return false
	}
	d := status.Status().Details
	return d == nil || d.Name == ""
}

// explainTLS is for certificates; "" if the error is not about one.
func (c *Client) explainTLS(err error) string {
	var (
		unknown  x509.UnknownAuthorityError
		hostname x509.HostnameError
		invalid  x509.CertificateInvalidError
		alert    tls.AlertError
		record   tls.RecordHeaderError
	)
	switch {
	case errors.As(err, &unknown):
		return "certificate signed by an unknown authority: the kubeconfig's certificate-authority does not match " + c.host
	case errors.As(err, &hostname):
		return "the certificate of api server " + c.host + " is not for this address: " + sources.Clean(hostname.Error(), 200)
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return "the certificate of api server " + c.host + " has expired or is not valid yet: " + sources.Clean(invalid.Detail, 200)
	case errors.As(err, &invalid):
		return "the certificate of api server " + c.host + " is not valid: " + sources.Clean(invalid.Error(), 200)
	case errors.As(err, &alert):
		return "api server " + c.host + " did not accept the client certificate: " + sources.Clean(alert.Error(), 200)
	case errors.As(err, &record):
		return c.host + " does not speak TLS: the kubeconfig's server address is not an API server's"
	case strings.Contains(err.Error(), "server gave HTTP response to HTTPS client"):
		return c.host + " answers without TLS: the kubeconfig says https"
	}
	return ""
}

// explainNetwork is for all that happens below HTTP.
func (c *Client) explainNetwork(err error, d time.Duration) string {
	var (
		dns     *net.DNSError
		timeout net.Error
		server  = "api server " + c.host
	)
	switch {
	case errors.As(err, &dns):
		return "the name of " + server + " cannot be resolved: " + sources.Clean(dns.Err, 200)
	case errors.Is(err, syscall.ECONNREFUSED):
		return server + " refused the connection"
	case errors.Is(err, syscall.ENETUNREACH), errors.Is(err, syscall.EHOSTUNREACH):
		return "no route to " + server
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		return fmt.Sprintf("%s does not answer (%s)", server, sources.Span(d))
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, syscall.ECONNRESET),
		errors.Is(err, syscall.EPIPE), strings.Contains(err.Error(), "http2: "), strings.Contains(err.Error(), "stream error: stream ID "):
		return server + " closed the connection"
	case errors.Is(err, context.Canceled):
		return "interrupted"
	}
	return server + ": " + oneLine(err)
}
