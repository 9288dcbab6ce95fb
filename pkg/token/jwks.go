package token

import (
	"context"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/go-jose/go-jose/v4"

	"github.com/atrium-mesh/atrium/pkg/strictjson"
)

const (
	maxJWKSSize = 1 << 20
	maxKeys     = 100
	minRSABits  = 2048
)

// asker is how an issuer is asked for its keys.
func (i Issuer) asker(client *http.Client) func(context.Context) ([]jose.JSONWebKey, error) {
	if i.Keys == nil {
		return func(ctx context.Context) ([]jose.JSONWebKey, error) { return fetchKeys(ctx, client, i.JWKSURL) }
	}
	return func(ctx context.Context) ([]jose.JSONWebKey, error) {
		body, err := i.Keys(ctx)
		if err != nil {
			return nil, fmt.Errorf("read keys: %w", err)
		}
		return parseKeys(body)
	}
}

// fetchKeys asks an issuer for its keys (RFC 7517, section 5).
func fetchKeys(ctx context.Context, client *http.Client, url string) (_ []jose.JSONWebKey, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, fmt.Errorf("fetch keys: %w", err)
	}
	req.Header.Set("Accept", "application/jwk-set+json, application/json")
	resp, err := client.Do(req)
	if err != nil {
		return nil, fmt.Errorf("fetch keys: %w", err)
	}
	defer func() { err = errors.Join(err, resp.Body.Close()) }()
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("fetch keys: status %d", resp.StatusCode)
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxJWKSSize+1))
	if err != nil {
		return nil, fmt.Errorf("fetch keys: %w", err)
	}
	if len(body) > maxJWKSSize {
		return nil, errors.New("fetch keys: the answer is too long")
	}
	return parseKeys(body)
}

// parseKeys returns the keys that can verify a signature. Keys of other kinds and uses are passed over, as RFC 7517 asks for; a set
// without a single usable key is an error, so that it never replaces one that has some.
func parseKeys(body []byte) ([]jose.JSONWebKey, error) {
	var set struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if err := strictjson.Unmarshal(body, &set); err != nil {
		return nil, fmt.Errorf("read keys: %w", err)
	}
	if len(set.Keys) > maxKeys {
		return nil, errors.New("read keys: there are too many")
	}
	var keys []jose.JSONWebKey
	for _, raw := range set.Keys {
		var key jose.JSONWebKey
		if json.Unmarshal(raw, &key) == nil && usable(key) {
			keys = append(keys, key)
		}
	}
	if len(keys) == 0 {
		return nil, errors.New("read keys: none is usable")
	}
	return keys, nil
}

func usable(key jose.JSONWebKey) bool {
	if !key.Valid() || (key.Use != "" && key.Use != "sig") {
		return false
	}
	switch public := key.Key.(type) {
	case *ecdsa.PublicKey, ed25519.PublicKey:
		return true
	case *rsa.PublicKey:
		return public.N.BitLen() >= minRSABits
	default: // private or symmetric: nobody should publish these
		return false
	}
}
