package config_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/atrium-mesh/atrium/pkg/config"
	authconfig "github.com/atrium-mesh/atrium/services/auth/internal/config"
)

var needed = config.Source{
	"DATABASE_URL":                 "postgres://localhost/auth",
	"SECRET_KEY":                   "w7510GGWGyc6zbmjXgq7JgZgrYMyd8oX0ducmkGHJGQ=",
	"SERVICE_SECRET_USERS":         "dBY2Mig6XMNU304hjFuxx8pcgbxihfCLHt1QZYxLA44=",
	"SERVICE_SECRET_NOTIFICATIONS": "qRrGd7tGNdqOECcxYFzC6DQTvenXqGYK645fRwJEOcU=",
	"SERVICE_SECRET_GATEWAY":       "Ch7bdPdn7z+EjKvL7RWhL11xcPIpGvkzXGnvzCLSF78=",
}

func TestConfig_defaults(t *testing.T) {
	t.Parallel()
	cfg, err := config.Load[authconfig.Config](needed)
	require.NoError(t, err)
	require.True(t, cfg.RegistrationEnabled)
	require.True(t, cfg.RequireVerifiedEmail)

	for addr, want := range map[string]string{
		":8081":          "http://127.0.0.1:8081/.well-known/jwks.json",
		"0.0.0.0:8081":   "http://127.0.0.1:8081/.well-known/jwks.json",
		"[::]:8081":      "http://127.0.0.1:8081/.well-known/jwks.json",
		"10.0.0.7:80":    "http://10.0.0.7:80/.well-known/jwks.json",
		"localhost:8081": "http://localhost:8081/.well-known/jwks.json",
		"127.0.0.1:0":    "",
	} {
		cfg, err := config.Load[authconfig.Config](needed.With(config.Source{"HTTP_ADDR": addr}))
		require.NoError(t, err)
		full := cfg.WithDefaults()
		require.Equal(t, want, full.JWKSURL)
		require.Equal(t, full.Issuer, full.Links.BaseURL)
	}

	cfg, err = config.Load[authconfig.Config](needed.With(config.Source{"JWKS_URL": "https://keys.test/jwks", "LINK_BASE_URL": "https://app.test"}))
	require.NoError(t, err)
	require.Equal(t, "https://keys.test/jwks", cfg.WithDefaults().JWKSURL)
	require.Equal(t, "https://app.test", cfg.WithDefaults().Links.BaseURL)
}

func TestConfig_refuses(t *testing.T) {
	t.Parallel()
	for variable, value := range map[string]string{
		"ACCESS_TOKEN_TTL": "2h", "REFRESH_TOKEN_TTL": "10m", "REFRESH_GRACE": "6m", "SESSION_MAX_AGE": "0s", "REAUTHENTICATION_MAX_AGE": "2h", "UNIFORM_ANSWER_TIME": "1m", "ARGON2_MEMORY_KIB": "8",
		"KEY_ALGORITHMS": "none", "LINK_BASE_URL": "nonsense", "DATABASE_URL": "",
		"SERVICE_SECRET_USERS": "", "SERVICE_SECRET_NOTIFICATIONS": needed["SERVICE_SECRET_USERS"], "SERVICE_SECRET_GATEWAY": "too short", "SERVICE_SECRET_GATEWAY_OLD": needed["SERVICE_SECRET_USERS"],
		"AUDIENCE": "service:users",
	} {
		_, err := config.Load[authconfig.Config](needed.With(config.Source{variable: value}))
		require.ErrorContains(t, err, variable)
	}
}
