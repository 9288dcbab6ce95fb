package devices_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/atrium-mesh/atrium/services/auth/internal/devices"
)

func TestNetwork(t *testing.T) {
	t.Parallel()
	for ip, want := range map[string]string{
		"203.0.113.7":          "203.0.112.0/20",
		"203.0.112.1":          "203.0.112.0/20",
		"203.0.128.1":          "203.0.128.0/20",
		"::ffff:203.0.113.7":   "203.0.112.0/20",
		"2001:db8:1:2::7":      "2001:db8:1::/48",
		"2001:db8:1:ffff::1":   "2001:db8:1::/48",
		"2001:db8:2::7":        "2001:db8:2::/48",
		"fe80::1%eth0":         "fe80::/48",
		"":                     "",
		"unknown":              "",
		"203.0.113.7:1234":     "",
		"203.0.113.7, 1.2.3.4": "",
	} {
		got, ok := devices.Network(ip)
		require.Equal(t, want, got, ip)
		require.Equal(t, want != "", ok, ip)
	}
}

func TestRecogniser(t *testing.T) {
	t.Parallel()
	r := devices.NewRecogniser([]byte("a key"))
	place := r.Place("Firefox on Linux", "203.0.113.7")
	require.Len(t, place, 32)
	require.Equal(t, place, r.Place("Firefox on Linux", "203.0.112.9"), "the same network")
	require.NotEqual(t, place, r.Place("Firefox on Linux", "198.51.100.7"), "another network, the same browser")
	require.NotEqual(t, place, r.Place("Chrome on Linux", "203.0.113.7"), "another browser")
	require.NotEqual(t, place, devices.NewRecogniser([]byte("another")).Place("Firefox on Linux", "203.0.113.7"))
	require.Nil(t, r.Place("Firefox on Linux", ""), "an unknown network is recognised by nothing")

	cookie, err := devices.NewCookie()
	require.NoError(t, err)
	require.Len(t, r.Cookie(cookie), 32)
	other, err := devices.NewCookie()
	require.NoError(t, err)
	require.NotEqual(t, r.Cookie(cookie), r.Cookie(other))
	for _, bad := range []string{"", "x", cookie + "A", cookie[1:], cookie + "==", "!!!!!!!!!!!!!!!!!!!!!!"} {
		require.Nil(t, r.Cookie(bad), bad)
	}
}
