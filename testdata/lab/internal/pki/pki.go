// Package pki makes the lab's certificates and keys.
package pki

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"os"
	"time"
)

// Pair is a certificate and its key.
type Pair struct {
	Cert    *x509.Certificate
	Key     crypto.Signer
	CertPEM []byte
	KeyPEM  []byte
}

// Request says what a certificate is for.
type Request struct {
	CommonName   string
	Organization []string
	DNS          []string
	IPs          []string
	Client       bool
	Server       bool
	NotBefore    time.Time
	NotAfter     time.Time
}

// NewCA makes an authority that is valid for ten years, as k3s's are.
func NewCA(name string) (Pair, error) {
	now := time.Now()
	return sign(&x509.Certificate{
		Subject:               pkix.Name{CommonName: name},
		NotBefore:             now.Add(-time.Hour),
		NotAfter:              now.AddDate(10, 0, 0),
		KeyUsage:              x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
		BasicConstraintsValid: true,
		IsCA:                  true,
	}, nil)
}

// Issue signs a certificate. Without dates it is valid for 365 days, as k3s's are.
func (ca Pair) Issue(r Request) (Pair, error) {
	if r.NotBefore.IsZero() {
		r.NotBefore = time.Now().Add(-time.Hour)
	}
	if r.NotAfter.IsZero() {
		r.NotAfter = time.Now().AddDate(1, 0, 0)
	}
	template := &x509.Certificate{
		Subject:     pkix.Name{CommonName: r.CommonName, Organization: r.Organization},
		NotBefore:   r.NotBefore,
		NotAfter:    r.NotAfter,
		DNSNames:    r.DNS,
		KeyUsage:    x509.KeyUsageDigitalSignature,
		ExtKeyUsage: nil,
	}
	for _, ip := range r.IPs {
		template.IPAddresses = append(template.IPAddresses, net.ParseIP(ip))
	}
	if r.Client {
		template.ExtKeyUsage = append(template.ExtKeyUsage, x509.ExtKeyUsageClientAuth)
	}
	if r.Server {
		template.ExtKeyUsage = append(template.ExtKeyUsage, x509.ExtKeyUsageServerAuth)
	}
	return sign(template, &ca)
}

func sign(template *x509.Certificate, ca *Pair) (Pair, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return Pair{}, fmt.Errorf("making a key for %s: %w", template.Subject.CommonName, err)
	}
	template.SerialNumber, err = rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		return Pair{}, fmt.Errorf("making a serial number for %s: %w", template.Subject.CommonName, err)
	}
	parent, signer := template, crypto.Signer(key)
	if ca != nil {
		parent, signer = ca.Cert, ca.Key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), signer)
	if err != nil {
		return Pair{}, fmt.Errorf("signing the certificate of %s: %w", template.Subject.CommonName, err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return Pair{}, fmt.Errorf("reading the certificate of %s: %w", template.Subject.CommonName, err)
	}
	return pair(cert, key)
}

func pair(cert *x509.Certificate, key *ecdsa.PrivateKey) (Pair, error) {
	keyDER, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		return Pair{}, fmt.Errorf("writing the key of %s: %w", cert.Subject.CommonName, err)
	}
	return Pair{
		Cert:    cert,
		Key:     key,
		CertPEM: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert.Raw}),
		KeyPEM:  pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: keyDER}),
	}, nil
}

// Save writes path.crt and path.key.
func (p Pair) Save(path string) error {
	if err := os.WriteFile(path+".crt", p.CertPEM, 0o644); err != nil {
		return fmt.Errorf("writing %s.crt: %w", path, err)
	}
	if err := os.WriteFile(path+".key", p.KeyPEM, 0o600); err != nil {
		return fmt.Errorf("writing %s.key: %w", path, err)
	}
	return nil
}

// Load reads what Save wrote.
func Load(path string) (Pair, error) {
	certPEM, err := os.ReadFile(path + ".crt")
	if err != nil {
		return Pair{}, fmt.Errorf("reading %s.crt: %w", path, err)
	}
	keyPEM, err := os.ReadFile(path + ".key")
	if err != nil {
		return Pair{}, fmt.Errorf("reading %s.key: %w", path, err)
	}
	certBlock, _ := pem.Decode(certPEM)
	keyBlock, _ := pem.Decode(keyPEM)
	if certBlock == nil || keyBlock == nil {
		return Pair{}, fmt.Errorf("reading %s: %w", path, errors.New("no PEM block"))
	}
	cert, err := x509.ParseCertificate(certBlock.Bytes)
	if err != nil {
		return Pair{}, fmt.Errorf("reading %s.crt: %w", path, err)
	}
	key, err := x509.ParseECPrivateKey(keyBlock.Bytes)
	if err != nil {
		return Pair{}, fmt.Errorf("reading %s.key: %w", path, err)
	}
	return pair(cert, key)
}
