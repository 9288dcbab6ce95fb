package service_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/atrium-mesh/atrium/pkg/config"
	"github.com/atrium-mesh/atrium/pkg/service"
)

const key = "w7510GGWGyc6zbmjXgq7JgZgrYMyd8oX0ducmkGHJGQ="

func TestConfig(t *testing.T) {
	t.Parallel()

	t.Run("a secret is all that must be given", func(t *testing.T) {
		t.Parallel()
		cfg, err := config.Load[service.Config](config.Source{"SECRET_KEY": key})
		require.NoError(t, err)
		require.Equal(t, ":8080", cfg.HTTPAddr)
		require.Equal(t, ":9090", cfg.AdminAddr)
		require.Equal(t, "nats://127.0.0.1:4222", cfg.NATS.URL)
		require.Equal(t, "http://localhost:8080", cfg.Issuer)
		require.Equal(t, "atrium", cfg.Audience)
	})

	t.Run("further issuers", func(t *testing.T) {
		t.Parallel()
		cfg, err := config.Load[service.Config](config.Source{"SECRET_KEY": key, "TRUSTED_ISSUERS": `
			[{"url": "https://id.example.com", "jwks_url": "https://id.example.com/keys", "audience": "atrium", "permissions": ["users:read"]}]`})
		require.NoError(t, err)
		require.Len(t, cfg.TrustedIssuers, 1)
		require.Equal(t, "https://id.example.com/keys", cfg.TrustedIssuers[0].JWKSURL)
		require.Equal(t, []string{"users:read"}, cfg.TrustedIssuers[0].Permissions)
		require.False(t, cfg.TrustedIssuers[0].Own)
	})

	for name, test := range map[string]struct {
		source config.Source
		want   []string
	}{
		"everything at once": {
			config.Source{"SECRET_KEY": "hunter2", "ISSUER": "example.com", "JWKS_URL": "file:///keys", "DRAIN_DELAY": "-1s"},
			[]string{"SECRET_KEY must be at least 32 bytes", "ISSUER must be an http", "JWKS_URL must be an http", "DRAIN_DELAY must not be"},
		},
		"no secret":              {config.Source{}, []string{"SECRET_KEY is required and not set."}},
		"a slash too many":       {config.Source{"SECRET_KEY": key, "ISSUER": "https://example.com/"}, []string{"ISSUER must not end in a slash: https://example.com would do."}},
		"a base path":            {config.Source{"SECRET_KEY": key, "ISSUER": "https://example.com/base"}, []string{"https://example.com would do."}},
		"issuers are not JSON":   {config.Source{"SECRET_KEY": key, "TRUSTED_ISSUERS": "https://id"}, []string{"TRUSTED_ISSUERS must be"}},
		"an unknown member":      {config.Source{"SECRET_KEY": key, "TRUSTED_ISSUERS": `[{"own": true}]`}, []string{"TRUSTED_ISSUERS must be"}},
		"an issuer without keys": {config.Source{"SECRET_KEY": key, "TRUSTED_ISSUERS": `[{"url": "https://id"}]`}, []string{"TRUSTED_ISSUERS is not valid"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := config.Load[service.Config](test.source)
			for _, want := range test.want {
				require.ErrorContains(t, err, want)
			}
			require.Equal(t, len(test.want), strings.Count(err.Error(), "\n  - "), err)
			require.NotContains(t, err.Error(), "hunter2")
		})
	}
}
