package service_test

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/atrium-mesh/atrium/pkg/service"
)

func secret(t *testing.T, text string) service.Secret {
	t.Helper()
	var s service.Secret
	require.NoError(t, s.UnmarshalText([]byte(text)))
	return s
}

func TestSecret(t *testing.T) {
	t.Parallel()
	raw := "\x00\x01 thirty-two bytes and some more!"

	t.Run("base64 in any alphabet is the same key as its bytes", func(t *testing.T) {
		t.Parallel()
		want := secret(t, raw).Derive("cursor")
		require.Len(t, want, 32)
		for _, encoding := range []*base64.Encoding{base64.StdEncoding, base64.RawStdEncoding, base64.URLEncoding, base64.RawURLEncoding} {
			require.Equal(t, want, secret(t, encoding.EncodeToString([]byte(raw))).Derive("cursor"))
		}
	})

	t.Run("text that would be too short as base64 is the key itself", func(t *testing.T) {
		t.Parallel()
		letters := strings.Repeat("abcd", 8)
		decoded, err := base64.StdEncoding.DecodeString(letters)
		require.NoError(t, err)
		require.Less(t, len(decoded), 32)
		require.Len(t, secret(t, letters).Derive("cursor"), 32)
	})

	t.Run("labels and secrets give different keys, the same give the same", func(t *testing.T) {
		t.Parallel()
		require.NotEqual(t, secret(t, raw).Derive("a"), secret(t, raw).Derive("b"))
		require.NotEqual(t, secret(t, raw).Derive("a"), secret(t, raw+"!").Derive("a"))
		require.Equal(t, secret(t, raw).Derive("a"), secret(t, raw).Derive("a"))
		require.Panics(t, func() { service.Secret{}.Derive("a") })
	})

	t.Run("a derived key stays what it is: data depends on it", func(t *testing.T) {
		t.Parallel()
		require.Equal(t, "c27e98b434081d94ca659eaea1e4e2d8fbed07a7399c426a6894a0c923168651", hex.EncodeToString(secret(t, raw).Derive("cursor")))
	})

	t.Run("never shows", func(t *testing.T) {
		t.Parallel()
		s := secret(t, raw)
		var out strings.Builder
		slog.New(slog.NewJSONHandler(&out, nil)).InfoContext(t.Context(), "x", "key", s, "config", service.Config{SecretKey: s})
		fmt.Fprintf(&out, "%v %+v %#v %s", s, service.Config{SecretKey: s}, service.Config{SecretKey: s}, s)
		require.NotContains(t, out.String(), "thirty-two")
	})
}
