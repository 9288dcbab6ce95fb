package service

import (
	"bytes"
	"crypto/rand"
	"encoding/base32"
	"encoding/base64"
	"encoding/hex"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/atrium-mesh/atrium/pkg/config"
)

func TestSecret_of_low_entropy_is_refused(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		strings.Repeat("a", 64),
		strings.Repeat("ab", 32),
		strings.Repeat("changeme", 8),
		strings.Repeat("x7Kq", 12),
		"0123456789abcdef0123456789abcdef",
		"0123456789012345678901234567890123456789",
		"abcdefghijklmnopqrstuvwxyz0123456789",
		"a secret key that is long enough for this",
		"the secret key of tests, which everybody knows",
		"thisisaverysecretkeythatnobodyknows12345",
		"correcthorsebatterystaplecorrecthorse",
		"please-change-this-secret-key-in-production",
		"MySuperSecretKeyForProduction2024!!",
		"PLEASE CHANGE THIS SECRET KEY BEFORE PRODUCTION",
		"PLEASECHANGETHISSECRETKEYBEFOREPRODUCTION",
		"Please Change This Secret Key Before Production",
		"CHANGE_ME_CHANGE_ME_BEFORE_YOU_GO_LIVE",
		"ATRIUM-PRODUCTION-SECRET-KEY-2026",
		"P4ssw0rd-Ch4ng3-M3-1n-Pr0duct10n",
		"P4SSW0RD_CH4NG3_M3_1N_PR0DUCT10N",
		"SuperSecretAtriumKeyNobodyWillGuess!",
		"1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik9ol0p",
		"1QAZ2WSX3EDC4RFV5TGB6YHN7UJM8IK,9OL.",
		"!QAZ2wsx#EDC4rfv%TGB6yhn&UJM8ik,",
		"qwertyuiopasdfghjklzxcvbnm1234567890",
		"poiuytrewqlkjhgfdsamnbvcxz0987654321",
		strings.Repeat("\x00", 32),
		base64.StdEncoding.EncodeToString(make([]byte, 32)),
		base64.StdEncoding.EncodeToString(bytes.Repeat([]byte("secret"), 8)),
		base64.StdEncoding.EncodeToString([]byte("a secret key that is long enough for this")),
		hex.EncodeToString(make([]byte, 32)),
	} {
		var s Secret
		require.NoError(t, s.UnmarshalText([]byte(text)))
		err := s.problem("SECRET_KEY")
		require.ErrorContains(t, err, "SECRET_KEY", "%q", text)
		require.ErrorContains(t, err, "openssl rand -base64 32", "%q", text)
		require.NotContains(t, err.Error(), text)
	}
}

// Chance may leave out six of the sixteen digits, and have some in a row.
func TestSecret_of_few_hexadecimal_digits_is_taken(t *testing.T) {
	t.Parallel()
	var s Secret
	require.NoError(t, s.UnmarshalText([]byte("88cc6699e84e343c84e4c994e19b777b")))
	require.NoError(t, s.problem("SECRET_KEY"))
}

// Whatever a generator makes is taken, in whatever form it is written.
func TestSecret_that_is_random_is_taken(t *testing.T) {
	t.Parallel()
	for range 2000 {
		raw := make([]byte, 32)
		_, _ = rand.Read(raw)
		for _, text := range []string{
			string(raw), base64.StdEncoding.EncodeToString(raw), base64.RawURLEncoding.EncodeToString(raw), hex.EncodeToString(raw),
			strings.ToUpper(hex.EncodeToString(raw)), rand.Text() + rand.Text(), "v1:" + base64.StdEncoding.EncodeToString(raw),
			hex.EncodeToString(raw[:16]), strings.ToUpper(hex.EncodeToString(raw[:16])), base32.StdEncoding.EncodeToString(raw),
			strings.ToLower(rand.Text() + rand.Text()),
		} {
			var s Secret
			require.NoError(t, s.UnmarshalText([]byte(text)))
			require.NoError(t, s.problem("SECRET_KEY"), "%q: %.0f bits", text, entropy([]byte(text)))
		}
	}
}

func TestSecret_that_is_short_says_what_would_do(t *testing.T) {
	t.Parallel()
	var s Secret
	require.NoError(t, s.UnmarshalText([]byte("hunter2")))
	require.ErrorContains(t, s.problem("SECRET_KEY"), "at least 32 bytes")
	require.ErrorContains(t, s.problem("SECRET_KEY"), "openssl rand -base64 32")
	_, err := config.Load[Config](config.Source{"SECRET_KEY": strings.Repeat("a", 40), "NATS_URL": "nats://127.0.0.1:4222"})
	require.ErrorContains(t, err, "SECRET_KEY")
}
