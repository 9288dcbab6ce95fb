package devices_test

import (
	"testing"
	"unicode"

	"github.com/stretchr/testify/require"

	"github.com/atrium-mesh/atrium/services/auth/internal/devices"
)

func TestName(t *testing.T) {
	t.Parallel()
	for userAgent, want := range map[string]string{
		"Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0":                                                                    "Firefox on Linux",
		"Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0":                                                          "Firefox on Windows",
		"Mozilla/5.0 (Android 15; Mobile; rv:140.0) Gecko/140.0 Firefox/140.0":                                                                      "Firefox on Android",
		"Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) FxiOS/140.0 Mobile/15E148 Safari/605.1.15": "Firefox on iPhone",
		"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/138.0.0.0 Safari/537.36":                           "Chrome on Windows",
		"Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/138.0.0.0 Mobile Safari/537.36":                           "Chrome on Android",
		"Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/138.0.0.0 Safari/537.36":                            "Chrome on ChromeOS",
		"Mozilla/5.0 (iPad; CPU OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) CriOS/138.0.0.0 Mobile/15E148 Safari/604.1":         "Chrome on iPad",
		"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/138.0.0.0 Safari/537.36":                             "Headless Chrome on Linux",
		"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Safari/605.1.15":                     "Safari on macOS",
		"Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1":   "Safari on iPhone",
		"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/138.0.0.0 Safari/537.36 Edg/138.0.0.0":             "Edge on Windows",
		"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/134.0.0.0 Safari/537.36 OPR/119.0.0.0":             "Opera on Windows",
		"Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/28.0 Chrome/130.0.0.0 Mobile Safari/537.36":       "Samsung Internet on Android",
		"Mozilla/5.0 (Windows NT 10.0; WOW64; Trident/7.0; rv:11.0) like Gecko":                                                                     "Internet Explorer on Windows",
		"Mozilla/5.0 (Linux; Android 15; Pixel 9 Build/AP4A; wv) AppleWebKit/537.36":                                                                "App on Android",
		"Mozilla/5.0 (compatible) Firefox/128.0": "Firefox",
		"Mozilla/5.0":                            devices.Unknown,
		"Opera/9.80 (Windows NT 6.1; WOW64) Presto/2.12.388 Version/12.18": "App on Windows",
		"curl/8.14.1":                            "curl",
		"Wget/1.25.0 (linux-gnu)":                "Wget",
		"Go-http-client/1.1":                     "Go program",
		"python-requests/2.32.4":                 "Python program",
		"okhttp/5.0.0":                           "Android app",
		"PostmanRuntime/7.44.1":                  "Postman",
		"MyApp/3.1 (iPhone; iOS 18.5)":           "MyApp on iPhone",
		"MyApp/3.1 CFNetwork/1568 Darwin/24.0.0": "MyApp on macOS",
		"atrium/1.0.0 (Linux)":                   "Atrium CLI on Linux",
		"kube-probe":                             "kube-probe",
		"evil.example/1.0":                       devices.Unknown,
		"http://evil.example":                    devices.Unknown,
		"---/1":                                  devices.Unknown,
		"<b>You have won</b>":                    devices.Unknown,
		"averylongproductnamethatnobodyhas/1":    devices.Unknown,
		"":                                       devices.Unknown,
		"   ":                                    devices.Unknown,
	} {
		t.Run(userAgent, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, want, devices.Name(userAgent))
		})
	}
}

func FuzzName(f *testing.F) {
	f.Add("Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0")
	f.Add("x/1 Linux")
	f.Fuzz(func(t *testing.T, userAgent string) {
		name := devices.Name(userAgent)
		require.NotEmpty(t, name)
		require.LessOrEqual(t, len(name), 60)
		for _, r := range name {
			require.True(t, r < 0x7f && unicode.IsPrint(r), "%q", name)
		}
	})
}
