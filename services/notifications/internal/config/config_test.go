package config_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/atrium-mesh/atrium/pkg/config"
	ownconfig "github.com/atrium-mesh/atrium/services/notifications/internal/config"
)

func needed() config.Source {
	return config.Source{
		"DATABASE_URL": "postgres://localhost/atrium_notifications", "SECRET_KEY": "w7510GGWGyc6zbmjXgq7JgZgrYMyd8oX0ducmkGHJGQ=", "SMTP_URL": "smtps://a:b@mail.example.com",
		"SERVICE_SECRET": "dBY2Mig6XMNU304hjFuxx8pcgbxihfCLHt1QZYxLA44=",
	}
}

func TestDefaults(t *testing.T) {
	t.Parallel()
	c, err := config.Load[ownconfig.Config](needed())
	require.NoError(t, err)
	require.Equal(t, 8, c.MailWorkers)
	require.Equal(t, 180*24*time.Hour, c.NotificationsFor)
	require.Equal(t, 90*24*time.Hour, c.DeliveriesFor)
	require.Equal(t, "Atrium", c.ProductName)
}

func TestEveryProblemIsReported(t *testing.T) {
	t.Parallel()
	_, err := config.Load[ownconfig.Config](needed().With(config.Source{
		"SMTP_URL": "ftp://mail.example.com", "MAIL_FROM": "nobody", "MAIL_WORKERS": "0", "MAIL_RETRY_AFTER": "2h", "PRODUCT_URL": "nowhere",
		"LINK_BASE_URL": "ftp://nowhere", "NOTIFICATION_RETENTION": "1h", "DELIVERY_RETENTION": "0s", "SMTP_TIMEOUT": "1h",
	}))
	for _, variable := range []string{
		"SMTP_URL", "MAIL_FROM", "MAIL_WORKERS", "MAIL_RETRY_AFTER", "PRODUCT_URL", "LINK_BASE_URL", "NOTIFICATION_RETENTION", "DELIVERY_RETENTION", "SMTP_TIMEOUT",
	} {
		require.ErrorContains(t, err, variable)
	}
}
