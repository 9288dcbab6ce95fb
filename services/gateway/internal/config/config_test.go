package config_test

import (
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/atrium-mesh/atrium/pkg/config"
	gateway "github.com/atrium-mesh/atrium/services/gateway/internal/config"
)

func source(with config.Source) config.Source {
	return config.Source{"SECRET_KEY": "w7510GGWGyc6zbmjXgq7JgZgrYMyd8oX0ducmkGHJGQ=", "NATS_URL": "nats://127.0.0.1:4222", "SERVICE_SECRET": "dBY2Mig6XMNU304hjFuxx8pcgbxihfCLHt1QZYxLA44="}.With(with)
}

func TestDefaults(t *testing.T) {
	t.Parallel()
	cfg, err := config.Load[gateway.Config](source(nil))
	require.NoError(t, err)
	require.Equal(t, "5/1m", cfg.RateLimitSignIn.String())
	require.Equal(t, "10/1m", cfg.RateLimitSignUp.String())
	require.Equal(t, "100/1m", cfg.RateLimitAPI.String())
	require.EqualValues(t, 1<<20, cfg.MaxBodyBytes)
	require.Empty(t, cfg.CORSOrigins)
}

func TestLimitsCanBeOff(t *testing.T) {
	t.Parallel()
	cfg, err := config.Load[gateway.Config](source(config.Source{"RATE_LIMIT_API": "off"}))
	require.NoError(t, err)
	require.True(t, cfg.RateLimitAPI.Off())
}

func TestWhatIsRefused(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ variable, value string }{
		{"CORS_ORIGINS", "*"},
		{"CORS_ORIGINS", "https://*.example.com"},
		{"CORS_ORIGINS", "https://app.example.com/"},
		{"CORS_ORIGINS", "https://app.example.com,null"},
		{"CORS_ORIGINS", "https://App.example.com"},
		{"CORS_ORIGINS", "https://app.example.com:443"},
		{"CORS_ORIGINS", "ftp://example.com"},
		{"CORS_ORIGINS", "app.example.com"},
		{"CORS_ORIGINS", "https://a@example.com"},
		{"TRUSTED_PROXIES", "everybody"},
		{"MAX_BODY_BYTES", "0"},
		{"USERS_URL", "users:8080"},
		{"AUTH_URL", "http://auth/?x=1"},
		{"AUTH_URL", "http://auth/?"},
		{"AUTH_URL", "http://auth:0"},
		{"AUTH_URL", "http://*"},
		{"AUTH_URL", "http://ada:secret@auth"},
		{"NOTIFICATIONS_URL", "http://notifications#x"},
		{"REDIS_URL", "not a url"},
		{"RATE_LIMIT_SIGN_IN", "5"},
		{"ISSUER", "localhost"},
		{"ISSUER", "https://atrium.example.com/base"},
		{"LOG_CLIENT_ADDRESS", "half"},
		{"HSTS_MAX_AGE", "-1s"},
		{"HSTS_MAX_AGE", "31536000h"},
		{"HSTS_INCLUDE_SUBDOMAINS", "true"}, // with an http ISSUER
	} {
		_, err := config.Load[gateway.Config](source(config.Source{c.variable: c.value}))
		require.ErrorContains(t, err, c.variable, "%s=%s", c.variable, c.value)
	}
	_, err := config.Load[gateway.Config](source(config.Source{
		"CORS_ORIGINS": "https://app.example.com,http://localhost:3000", "REDIS_URL": "redis://localhost:6379/0",
	}))
	require.NoError(t, err)
}

func TestClientAddress(t *testing.T) {
	t.Parallel()
	for value, want := range map[string]string{"": "203.0.113.7", "full": "203.0.113.7", "short": "203.0.113.0/24", "off": ""} {
		cfg, err := config.Load[gateway.Config](source(config.Source{"LOG_CLIENT_ADDRESS": value}))
		require.NoError(t, err)
		require.Equal(t, want, cfg.LogClientAddress.Name(netip.MustParseAddr("203.0.113.7")), value)
		require.Empty(t, cfg.LogClientAddress.Name(netip.Addr{}), value)
	}
}

func TestOrigin(t *testing.T) {
	t.Parallel()
	for issuer, want := range map[string]string{
		"https://atrium.example.com": "https://atrium.example.com", "https://Atrium.example.com:443": "https://atrium.example.com",
		"http://localhost:8080": "http://localhost:8080", "http://[::1]:80": "http://[::1]",
	} {
		cfg, err := config.Load[gateway.Config](source(config.Source{"ISSUER": issuer}))
		require.NoError(t, err, issuer)
		origin, err := cfg.Origin()
		require.NoError(t, err)
		require.Equal(t, want, origin)
	}
}
