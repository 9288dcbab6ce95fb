package netaddr_test

import (
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/atrium-mesh/atrium/pkg/netaddr"
)

func trusted(t testing.TB, networks ...string) netaddr.Trusted {
	t.Helper()
	parsed, err := netaddr.ParseTrusted(networks)
	require.NoError(t, err)
	return parsed
}

func request(remote string, forwarded ...string) *http.Request {
	return &http.Request{RemoteAddr: remote, Header: http.Header{"X-Forwarded-For": forwarded}}
}

func TestClient(t *testing.T) {
	t.Parallel()
	proxies := trusted(t, "10.0.0.0/8", "fd00::/8", "192.0.2.1")
	for name, tc := range map[string]struct {
		remote    string
		forwarded []string
		want      string
	}{
		"direct":                              {"203.0.113.7:5000", nil, "203.0.113.7"},
		"direct_and_forged":                   {"203.0.113.7:5000", []string{"198.51.100.9"}, "203.0.113.7"},
		"one_proxy":                           {"10.0.0.5:5000", []string{"203.0.113.7"}, "203.0.113.7"},
		"one_proxy_that_is_a_single_address":  {"192.0.2.1:5000", []string{"203.0.113.7"}, "203.0.113.7"},
		"two_proxies":                         {"10.0.0.5:5000", []string{"203.0.113.7, 10.0.0.4"}, "203.0.113.7"},
		"forged_before_the_client":            {"10.0.0.5:5000", []string{"198.51.100.9, 203.0.113.7, 10.0.0.4"}, "203.0.113.7"},
		"forged_as_a_proxy":                   {"10.0.0.5:5000", []string{"10.0.0.9, 203.0.113.7"}, "203.0.113.7"},
		"several_lines":                       {"10.0.0.5:5000", []string{"198.51.100.9", "203.0.113.7, 10.0.0.4", "10.0.0.3"}, "203.0.113.7"},
		"no_spaces":                           {"10.0.0.5:5000", []string{"198.51.100.9,203.0.113.7,10.0.0.4"}, "203.0.113.7"},
		"from_inside":                         {"10.0.0.5:5000", []string{"10.0.0.7, 10.0.0.4"}, "10.0.0.7"},
		"proxy_says_nothing":                  {"10.0.0.5:5000", nil, "10.0.0.5"},
		"proxy_says_an_empty_list":            {"10.0.0.5:5000", []string{""}, "10.0.0.5"},
		"garbage_next_to_the_proxy":           {"10.0.0.5:5000", []string{"203.0.113.7, garbage"}, "10.0.0.5"},
		"garbage_beyond_the_client":           {"10.0.0.5:5000", []string{"garbage, 203.0.113.7"}, "203.0.113.7"},
		"garbage_beyond_a_proxy":              {"10.0.0.5:5000", []string{"garbage, 10.0.0.4"}, "10.0.0.4"},
		"unknown_as_rfc_7239_has_it":          {"10.0.0.5:5000", []string{"unknown"}, "10.0.0.5"},
		"a_port_is_left_out":                  {"10.0.0.5:5000", []string{"203.0.113.7:4711"}, "203.0.113.7"},
		"ipv6":                                {"[fd00::5]:5000", []string{"2001:db8::7"}, "2001:db8::7"},
		"ipv6_in_brackets":                    {"[fd00::5]:5000", []string{"[2001:db8::7]"}, "2001:db8::7"},
		"ipv6_with_a_port":                    {"[fd00::5]:5000", []string{"[2001:db8::7]:4711"}, "2001:db8::7"},
		"ipv6_zone_is_left_out":               {"[fd00::5%eth0]:5000", []string{"2001:db8::7%lo"}, "2001:db8::7"},
		"ipv4_in_ipv6_is_ipv4":                {"[::ffff:10.0.0.5]:5000", []string{"::ffff:203.0.113.7"}, "203.0.113.7"},
		"ipv4_with_leading_zeros_is_not_read": {"10.0.0.5:5000", []string{"203.0.113.007"}, "10.0.0.5"},
		"ipv6_and_ipv4_proxies":               {"[fd00::5]:5000", []string{"203.0.113.7, 10.0.0.4"}, "203.0.113.7"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, tc.want, proxies.Client(request(tc.remote, tc.forwarded...)).String())
		})
	}
	t.Run("nobody_is_trusted", func(t *testing.T) {
		t.Parallel()
		require.Equal(t, "10.0.0.5", netaddr.Trusted{}.Client(request("10.0.0.5:5000", "203.0.113.7")).String())
	})
	t.Run("unix_socket", func(t *testing.T) {
		t.Parallel()
		require.False(t, proxies.Client(request("@", "203.0.113.7")).IsValid())
	})
	t.Run("a_list_without_end_is_given_up", func(t *testing.T) {
		t.Parallel()
		list := "203.0.113.7" + strings.Repeat(",10.0.0.4", 100_000)
		require.Equal(t, "10.0.0.4", proxies.Client(request("10.0.0.5:1", list)).String())
	})
}

func TestParseTrusted(t *testing.T) {
	t.Parallel()
	addr := netip.MustParseAddr
	all := trusted(t, " 10.1.2.3/8 ", "::1", "::ffff:192.0.2.0/120")
	require.True(t, all.Contains(addr("10.9.9.9")))
	require.True(t, all.Contains(addr("::ffff:10.9.9.9")))
	require.True(t, all.Contains(addr("::1")))
	require.True(t, all.Contains(addr("192.0.2.9")))
	require.False(t, all.Contains(addr("192.0.3.9")))
	require.False(t, all.Contains(addr("::2")))
	require.False(t, all.Contains(netip.Addr{}))
	_, err := netaddr.ParseTrusted([]string{"10.0.0.0/33", "::1", "proxy.internal", "", "::ffff:0.0.0.0/64"})
	for _, want := range []string{`"10.0.0.0/33"`, `"proxy.internal"`, `""`, `"::ffff:0.0.0.0/64"`} {
		require.ErrorContains(t, err, want)
	}
}

func TestLimitKey(t *testing.T) {
	t.Parallel()
	key := func(text string) string { return netaddr.LimitKey(netip.MustParseAddr(text)) }
	require.Equal(t, "203.0.113.7", key("203.0.113.7"))
	require.Equal(t, "203.0.113.7", key("::ffff:203.0.113.7"))
	require.Equal(t, "2001:db8:1:2::/64", key("2001:db8:1:2:3:4:5:6"))
	require.Equal(t, key("fe80::1%eth0"), key("fe80::2%eth1"))
	require.Equal(t, "unknown", netaddr.LimitKey(netip.Addr{}))
}

// FuzzClient says: whoever calls directly is who they are, whatever they send; and through a proxy nobody can move what the proxy
// appended by what they sent before it.
func FuzzClient(f *testing.F) {
	proxies := trusted(f, "10.0.0.0/8")
	f.Add("198.51.100.9", "203.0.113.7:1")
	f.Add("[2001:db8::7%x]:1,,", "[::1]:80")
	f.Add(strings.Repeat(",", 100), "@")
	f.Fuzz(func(t *testing.T, sent, remote string) {
		if direct := proxies.Client(request(remote, sent)); direct.IsValid() && !proxies.Contains(direct) {
			withNothing := proxies.Client(request(remote))
			require.True(t, proxies.Contains(withNothing) || withNothing == direct)
		}
		require.Equal(t, "203.0.113.7", proxies.Client(request("10.0.0.5:1", sent+", 203.0.113.7")).String())
		require.Equal(t, "203.0.113.7", proxies.Client(request("10.0.0.5:1", sent, "203.0.113.7, 10.0.0.4")).String())
		require.Equal(t, "203.0.113.7", proxies.Client(request("203.0.113.7:1", strings.Split(sent, ",")...)).String())
		client := proxies.Client(request("10.0.0.5:1", sent))
		require.True(t, client.IsValid())
		require.Empty(t, client.Zone())
		require.False(t, client.Is4In6())
		written := slices.ContainsFunc(strings.Split(sent, ","), func(hop string) bool { return strings.TrimSpace(hop) != "" })
		require.True(t, written || client == netip.MustParseAddr("10.0.0.5"))
	})
}

func TestLocal(t *testing.T) {
	t.Parallel()
	for _, local := range []string{
		"localhost", "localhost:8080", "LOCALHOST.", "localhost.:80", "app.localhost", "app.localhost:80", "127.0.0.1", "127.9.9.9:1", "::1", "[::1]", "[::1]:8080",
		"[::ffff:127.0.0.1]:80", "::ffff:127.0.0.1",
	} {
		require.True(t, netaddr.Local(local), local)
	}
	for _, other := range []string{
		"", ":8080", "example.com", "localhost.example.com", "notlocalhost", "192.0.2.1", "0.0.0.0:80", "[::]:80", "[2001:db8::1]", "127.0.0.1.example.com", "127.1", "[", "[]",
	} {
		require.False(t, netaddr.Local(other), other)
	}
}

func TestHost(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{"Example.COM.:80": "example.com", "example.com": "example.com", "": "", ":80": ""} {
		name, address := netaddr.Host(text)
		require.Equal(t, want, name, text)
		require.False(t, address.IsValid(), text)
	}
	name, address := netaddr.Host("[2001:db8::1]:80")
	require.Empty(t, name)
	require.Equal(t, netip.MustParseAddr("2001:db8::1"), address)
}

func TestShorten(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"203.0.113.7":           "203.0.113.0/24",
		"::ffff:203.0.113.7":    "203.0.113.0/24",
		"2001:db8:1:2:3:4:5:6":  "2001:db8:1::/48",
		"fe80::1%eth0":          "fe80::/48",
		"2001:db8:ffff:ffff::1": "2001:db8:ffff::/48",
	} {
		require.Equal(t, want, netaddr.Shorten(netip.MustParseAddr(text)), text)
	}
	require.Empty(t, netaddr.Shorten(netip.Addr{}))
}

func TestCalls(t *testing.T) {
	t.Parallel()
	proxies := trusted(t, "10.0.0.0/8")
	require.True(t, proxies.Calls(request("10.0.0.5:5000", "203.0.113.7")))
	require.False(t, proxies.Calls(request("203.0.113.7:5000", "10.0.0.5")), "who says so is none")
	require.False(t, proxies.Calls(request("@", "10.0.0.5")))
	require.False(t, trusted(t).Calls(request("10.0.0.5:5000")))
}
