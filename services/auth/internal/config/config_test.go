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
	"SMTP_URL":                     "smtps://a:b@mail.example.com",
}

func TestConfig_defaults(t *testing.T) {
	t.Parallel()
	cfg, err := config.Load[authconfig.Config](needed)
	require.NoError(t, err)
	require.True(t, cfg.RegistrationEnabled)
	require.True(t, cfg.RequireVerifiedEmail)

	require.Equal(t, cfg.Issuer, cfg.WithDefaults().Links.BaseURL)
	cfg, err = config.Load[authconfig.Config](needed.With(config.Source{"JWKS_URL": "https://keys.test/jwks", "LINK_BASE_URL": "https://app.test"}))
	require.NoError(t, err)
	require.Equal(t, "https://app.test", cfg.WithDefaults().Links.BaseURL)
}

func TestConfig_refuses(t *testing.T) {
	t.Parallel()
	for variable, value := range map[string]string{
		"ACCESS_TOKEN_TTL": "2h", "REFRESH_TOKEN_TTL": "10m", "REFRESH_GRACE": "6m", "SESSION_MAX_AGE": "0s", "REAUTHENTICATION_MAX_AGE": "2h", "SESSIONS_MAX": "9", "UNIFORM_ANSWER_TIME": "1m", "ARGON2_MEMORY_KIB": "8",
		"KEY_ALGORITHMS": "none", "LINK_BASE_URL": "nonsense", "DATABASE_URL": "",
		"SERVICE_SECRET_USERS": "", "SERVICE_SECRET_NOTIFICATIONS": needed["SERVICE_SECRET_USERS"], "SERVICE_SECRET_GATEWAY": "too short", "SERVICE_SECRET_GATEWAY_OLD": needed["SERVICE_SECRET_USERS"],
		"AUDIENCE": "service:users", "SMTP_URL": "ftp://mail.example.com", "SMTP_TIMEOUT": "11s", "MAIL_FROM": "nobody", "PRODUCT_URL": "nowhere",
		"PRODUCT_NAME": "two\nlines",
	} {
		_, err := config.Load[authconfig.Config](needed.With(config.Source{variable: value}))
		require.ErrorContains(t, err, variable)
	}
}
