// Signs an artifact of a registry as `notation sign` does, with the library that it is built of.
//
//	notation cert FOLDER CURVE              writes FOLDER/ca.crt, FOLDER/chain.crt and FOLDER/key.pem; CURVE is p256, p384 or p521
//	notation sign FOLDER FORMAT REFERENCE   FORMAT is jws or cose; REFERENCE is HOST/REPOSITORY@DIGEST, reached by plain HTTP
package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"time"

	"github.com/notaryproject/notation-core-go/signature/cose"
	"github.com/notaryproject/notation-core-go/signature/jws"
	"github.com/notaryproject/notation-go"
	"github.com/notaryproject/notation-go/registry"
	"github.com/notaryproject/notation-go/signer"
	"oras.land/oras-go/v2/registry/remote"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(args []string) error {
	switch {
	case len(args) == 3 && args[0] == "cert":
		return certificates(args[1], args[2])
	case len(args) == 4 && args[0] == "sign":
		return sign(args[1], args[2], args[3])
	default:
		return fmt.Errorf("usage: notation cert FOLDER p256|p384|p521 | notation sign FOLDER jws|cose REFERENCE")
	}
}

func sign(folder, format, reference string) error {
	types := map[string]string{"jws": jws.MediaTypeEnvelope, "cose": cose.MediaTypeEnvelope}
	envelope, known := types[format]
	if !known {
		return fmt.Errorf("%s: jws or cose", format)
	}
	key, chain := filepath.Join(folder, "key.pem"), filepath.Join(folder, "chain.crt")
	by, err := signer.NewFromFiles(key, chain)
	if err != nil {
		return err
	}
	repository, err := remote.NewRepository(reference)
	if err != nil {
		return err
	}
	repository.PlainHTTP = true
	_, err = notation.Sign(context.Background(), by, registry.NewRepository(repository), notation.SignOptions{
		ArtifactReference: reference,
		SignerSignOptions: notation.SignerSignOptions{SignatureMediaType: envelope},
	})
	return err
}

// An authority, and a certificate of it that may sign (Notary Project, signature specification, certificate requirements).
func certificates(folder, name string) error {
	// the authority's curve and hash, and the signer's curve
	type kind struct {
		authority elliptic.Curve
		by        x509.SignatureAlgorithm
		leaf      elliptic.Curve
	}
	kinds := map[string]kind{
		"p256": {elliptic.P384(), x509.ECDSAWithSHA384, elliptic.P256()},
		"p384": {elliptic.P521(), x509.ECDSAWithSHA256, elliptic.P384()},
		"p521": {elliptic.P521(), x509.ECDSAWithSHA512, elliptic.P521()},
	}
	chosen, known := kinds[name]
	if !known {
		return fmt.Errorf("%s: p256, p384 or p521", name)
	}
	authority := &x509.Certificate{
		SerialNumber:          big.NewInt(1),
		SignatureAlgorithm:    chosen.by,
		Subject:               pkix.Name{CommonName: "shop authority", Organization: []string{"Shop"}, Country: []string{"US"}, Province: []string{"WA"}},
		NotBefore:             time.Now().Add(-time.Hour),
		NotAfter:              time.Now().Add(24 * time.Hour),
		KeyUsage:              x509.KeyUsageCertSign,
		BasicConstraintsValid: true,
		IsCA:                  true,
		MaxPathLen:            1,
	}
	leaf := &x509.Certificate{
		SerialNumber:       big.NewInt(2),
		SignatureAlgorithm: chosen.by,
		Subject:            pkix.Name{CommonName: "shop.example", Organization: []string{"Shop"}, Country: []string{"US"}, Province: []string{"WA"}},
		NotBefore:          time.Now().Add(-time.Hour),
		NotAfter:           time.Now().Add(12 * time.Hour),
		KeyUsage:           x509.KeyUsageDigitalSignature,
		ExtKeyUsage:        []x509.ExtKeyUsage{x509.ExtKeyUsageCodeSigning},
	}
	authorityKey, err := ecdsa.GenerateKey(chosen.authority, rand.Reader)
	if err != nil {
		return err
	}
	leafKey, err := ecdsa.GenerateKey(chosen.leaf, rand.Reader)
	if err != nil {
		return err
	}
	root, err := x509.CreateCertificate(rand.Reader, authority, authority, &authorityKey.PublicKey, authorityKey)
	if err != nil {
		return err
	}
	signed, err := x509.CreateCertificate(rand.Reader, leaf, authority, &leafKey.PublicKey, authorityKey)
	if err != nil {
		return err
	}
	secret, err := x509.MarshalPKCS8PrivateKey(leafKey)
	if err != nil {
		return err
	}
	rootPEM := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: root})
	leafPEM := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: signed})
	files := map[string][]byte{
		"ca.crt":    rootPEM,
		"chain.crt": append(leafPEM, rootPEM...),
		"key.pem":   pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret}),
	}
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(folder, name), content, 0o600); err != nil {
			return err
		}
	}
	return nil
}
