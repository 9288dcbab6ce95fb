package token

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/go-jose/go-jose/v4"
	"github.com/stretchr/testify/require"
)

func TestParseKeys(t *testing.T) {
	t.Parallel()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	weak, err := rsa.GenerateKey(rand.Reader, 1024) //nolint:gosec // weak on purpose
	require.NoError(t, err)
	marshal := func(key jose.JSONWebKey) string {
		data, err := json.Marshal(key)
		require.NoError(t, err)
		return string(data)
	}
	good := marshal(jose.JSONWebKey{Key: private.Public(), KeyID: "good", Use: "sig"})
	for name, other := range map[string]string{
		"unknown_kind": `{"kty":"PQ","kid":"x"}`,
		"no_object":    `7`,
		"symmetric":    marshal(jose.JSONWebKey{Key: []byte("0123456789abcdef0123456789abcdef"), KeyID: "x"}),
		"private":      marshal(jose.JSONWebKey{Key: private, KeyID: "x"}),
		"encryption":   marshal(jose.JSONWebKey{Key: private.Public(), KeyID: "x", Use: "enc"}),
		"weak_rsa":     marshal(jose.JSONWebKey{Key: weak.Public(), KeyID: "x"}),
	} {
		t.Run(name+"_is_passed_over", func(t *testing.T) {
			t.Parallel()
			keys, err := parseKeys([]byte(`{"keys":[` + other + `,` + good + `]}`))
			require.NoError(t, err)
			require.Len(t, keys, 1)
			require.Equal(t, "good", keys[0].KeyID)
			_, err = parseKeys([]byte(`{"keys":[` + other + `]}`))
			require.Error(t, err)
		})
	}
	for name, body := range map[string]string{
		"empty": ``, "no_json": `<html>`, "no_keys": `{}`, "empty_set": `{"keys":[]}`,
		"too_many": `{"keys":[` + strings.Repeat(good+",", maxKeys) + good + `]}`,
	} {
		t.Run(name+"_is_an_error", func(t *testing.T) {
			t.Parallel()
			_, err := parseKeys([]byte(body))
			require.Error(t, err)
		})
	}
}

func TestFetchKeysReadsNoMoreThanItsLimit(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte(`{"keys":[` + strings.Repeat(" ", maxJWKSSize) + `]}`)) // the client hangs up
	}))
	t.Cleanup(server.Close)
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	_, err := fetchKeys(t.Context(), client, server.URL)
	require.ErrorContains(t, err, "too long")
}

// A key that names an algorithm is used for no other.
func TestMatch(t *testing.T) {
	t.Parallel()
	keys := []jose.JSONWebKey{{KeyID: "a", Algorithm: "ES256"}, {KeyID: "b", Algorithm: "RS256"}, {KeyID: "c"}}
	ids := func(h header) (ids []string) {
		for _, key := range match(keys, h) {
			ids = append(ids, key.KeyID)
		}
		return ids
	}
	require.Equal(t, []string{"a"}, ids(header{Alg: "ES256", Kid: "a"}))
	require.Empty(t, ids(header{Alg: "RS256", Kid: "a"}))
	require.Equal(t, []string{"c"}, ids(header{Alg: "RS256", Kid: "c"}))
	require.Equal(t, []string{"b", "c"}, ids(header{Alg: "RS256"}))
	require.Empty(t, ids(header{Alg: "RS256", Kid: "d"}))
}
