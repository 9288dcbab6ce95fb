package config_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/atrium-mesh/atrium/pkg/config"
)

func TestCheckOrigin(t *testing.T) {
	t.Parallel()
	for _, good := range []string{"https://atrium.example.com", "http://localhost:8080", "http://[::1]:8080", "https://Atrium.example.com:443"} {
		require.NoError(t, config.CheckOrigin("ISSUER", good), good)
	}
	for bad, want := range map[string]string{
		"https://example.com/":                 "must not end in a slash: https://example.com would do.",
		"https://example.com/base":             "without a path, query, fragment or user: https://example.com would do.",
		"https://example.com//":                "https://example.com would do.",
		"https://example.com:8443/a/b/?c=d#e":  "https://example.com:8443 would do.",
		"https://example.com?":                 "https://example.com would do.",
		"https://example.com?a=b":              "https://example.com would do.",
		"https://example.com#":                 "https://example.com would do.",
		"https://example.com#top":              "https://example.com would do.",
		"https://ada:hunter2@example.com":      "https://example.com would do.",
		"https://ada:hunter2@example.com/base": "https://example.com would do.",
		"https://%2e:hunter2@":                 "such as https://atrium.example.com.",
		"https://ada:hunter2@exa mple.com":     "such as https://atrium.example.com.",
		"":                                     "such as https://atrium.example.com.",
		"localhost":                            "such as https://atrium.example.com.",
		"localhost:8080":                       "such as https://atrium.example.com.",
		"ftp://example.com":                    "such as https://atrium.example.com.",
		"https:example.com":                    "such as https://atrium.example.com.",
		"http://:8080":                         "such as https://atrium.example.com.",
		"http://example.com:":                  "such as https://atrium.example.com.",
		"http://example.com:70000":             "such as https://atrium.example.com.",
		"https://*.example.com":                "such as https://atrium.example.com.",
	} {
		err := config.CheckOrigin("ISSUER", bad)
		require.ErrorContains(t, err, "ISSUER must", bad)
		require.ErrorContains(t, err, want, bad)
		require.NotContains(t, err.Error(), "hunter2", bad)
	}
}

func TestCheckBase(t *testing.T) {
	t.Parallel()
	for _, good := range []string{"https://app.example.com", "https://app.example.com/account", "http://localhost:3000"} {
		require.NoError(t, config.CheckBase("LINK_BASE_URL", good), good)
	}
	for _, bad := range []string{
		"", "app.example.com", "https://app.example.com/", "https://app.example.com/account/", "https://app.example.com?a=b",
		"https://app.example.com?", "https://app.example.com/?", "https://app.example.com#a", "http://h:0", "http://*", "http://h:", "http:h", "https://app.example.com#", "https://ada:hunter2@app.example.com", "ftp://app.example.com",
	} {
		err := config.CheckBase("LINK_BASE_URL", bad)
		require.ErrorContains(t, err, "LINK_BASE_URL must", bad)
		require.ErrorContains(t, err, "https://app.example.com/account would do", bad)
		require.NotContains(t, err.Error(), "hunter2")
	}
}

func TestBaseOf(t *testing.T) {
	t.Parallel()
	for raw, want := range map[string]string{
		"http://otel:4318": "http://otel:4318", "http://otel:4318/": "http://otel:4318", "https://api.example.com/range/": "https://api.example.com/range",
	} {
		got, err := config.BaseOf(raw)
		require.NoError(t, err, raw)
		require.Equal(t, want, got.String())
	}
	for _, bad := range []string{
		"", "/", "h", "http:h", "http://", "http://h:0", "http://h:", "http://*", "http://h/?", "http://h?a=b", "http://h/#", "http://h//", "http://ada:hunter2@h",
	} {
		_, err := config.BaseOf(bad)
		require.Error(t, err, bad)
		require.NotContains(t, err.Error(), "hunter2")
	}
}

func TestCheckURL(t *testing.T) {
	t.Parallel()
	for _, good := range []string{"https://app.example.com/", "https://app.example.com/start?from=mail#top"} {
		require.NoError(t, config.CheckURL("PRODUCT_URL", good), good)
	}
	for _, bad := range []string{"", "app.example.com", "javascript:alert(1)", "https://ada:hunter2@app.example.com", "https://"} {
		err := config.CheckURL("PRODUCT_URL", bad)
		require.ErrorContains(t, err, "PRODUCT_URL must", bad)
		require.NotContains(t, err.Error(), "hunter2")
	}
}

func TestOriginOf(t *testing.T) {
	t.Parallel()
	for raw, want := range map[string]string{
		"https://atrium.example.com": "https://atrium.example.com", "https://Atrium.example.com:443/base": "https://atrium.example.com",
		"http://localhost:8080": "http://localhost:8080", "http://[::1]:80": "http://[::1]",
	} {
		got, err := config.OriginOf(raw)
		require.NoError(t, err, raw)
		require.Equal(t, want, got)
	}
	for _, raw := range []string{"", "nonsense", "https://ada@example.com", "null", "file:///etc/passwd"} {
		_, err := config.OriginOf(raw)
		require.Error(t, err, raw)
	}
}
