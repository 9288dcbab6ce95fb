package client

import (
	"net/http"
	"net/url"
)

// secureJar is a cookie jar for which a loopback origin is a secure context, as it is for browsers.
type secureJar struct{ http.CookieJar }

func (j secureJar) SetCookies(u *url.URL, cookies []*http.Cookie) {
	j.CookieJar.SetCookies(secure(u), cookies)
}

func (j secureJar) Cookies(u *url.URL) []*http.Cookie { return j.CookieJar.Cookies(secure(u)) }

func secure(u *url.URL) *url.URL {
	other := *u
	other.Scheme = "https"
	return &other
}

// Cookies are the names of those that would be sent to a path.
func (c *Client) Cookies(path string) []string {
	u, err := url.Parse(c.Gateway + path)
	if err != nil || c.http.Jar == nil {
		return nil
	}
	names := []string{}
	for _, cookie := range c.http.Jar.Cookies(u) {
		names = append(names, cookie.Name)
	}
	return names
}
