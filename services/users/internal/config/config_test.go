package config_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/atrium-mesh/atrium/pkg/config"
	usersconfig "github.com/atrium-mesh/atrium/services/users/internal/config"
)

func TestErasureGrace(t *testing.T) {
	t.Parallel()
	load := func(grace string) (usersconfig.Config, error) {
		src := config.Source{
			"DATABASE_URL": "postgres://localhost/users", "NATS_URL": "nats://localhost", "ISSUER": "http://localhost:8080",
			"SECRET_KEY": "w7510GGWGyc6zbmjXgq7JgZgrYMyd8oX0ducmkGHJGQ=", "SERVICE_SECRET": "dBY2Mig6XMNU304hjFuxx8pcgbxihfCLHt1QZYxLA44=",
		}
		if grace != "" {
			src["ERASURE_GRACE"] = grace
		}
		return config.Load[usersconfig.Config](src)
	}
	cfg, err := load("")
	require.NoError(t, err)
	require.Equal(t, 30*24*time.Hour, cfg.ErasureGrace)
	_, err = load("-1s")
	require.ErrorContains(t, err, "ERASURE_GRACE must not be negative.")
}
