package config

import (
	"errors"
	"net/url"
	"strconv"
	"strings"
)

// OriginOf is the origin of an http or https URL as browsers write it (RFC 6454 section 6.2): lower case, without a default port. What
// else stands in the URL is left out; a URL without a host, or with a user, has none.
func OriginOf(raw string) (string, error) {
	u, err := readURL(raw)
	if err != nil {
		return "", err
	}
	if u.User != nil {
		return "", errors.New("a URL with a user has no origin")
	}
	return originOf(u), nil
}

// CheckOrigin is a problem of variable when its value is more or less than scheme, host and port. It says which value would do.
func CheckOrigin(variable, raw string) error {
	u, err := readURL(raw)
	if err != nil {
		return Problemf(variable, "must be an http or https URL: scheme, host and port, such as https://atrium.example.com.")
	}
	if u.User == nil && u.Path == "" && u.RawQuery == "" && !u.ForceQuery && !strings.Contains(raw, "#") {
		return nil
	}
	if u.Path == "/" && u.User == nil && u.RawQuery == "" && !u.ForceQuery && !strings.Contains(raw, "#") {
		return Problemf(variable, "must not end in a slash: %s would do.", originOf(u))
	}
	return Problemf(variable, "must be scheme, host and port alone, without a path, query, fragment or user: %s would do.", originOf(u))
}

// CheckBase is a problem of variable when paths cannot be put behind its value: it may have a path, and neither a slash at its end, nor a
// query, fragment or user.
func CheckBase(variable, raw string) error {
	if _, err := BaseOf(raw); err != nil || strings.HasSuffix(raw, "/") {
		return Problemf(variable, "must be an http or https URL without a slash at the end, a query, a fragment or a user: "+
			"https://app.example.com or https://app.example.com/account would do.")
	}
	return nil
}

// BaseOf is an http or https URL that paths can be put behind: it may have a path, and no query, fragment or user. A slash at its end is left
// out. Its errors do not repeat the value.
func BaseOf(raw string) (*url.URL, error) {
	raw = strings.TrimSuffix(raw, "/")
	u, err := readURL(raw)
	switch {
	case err != nil:
		return nil, err
	case u.User != nil:
		return nil, errors.New("a URL with a user")
	case u.RawQuery != "", u.ForceQuery, strings.Contains(raw, "#"), strings.HasSuffix(raw, "/"):
		return nil, errors.New("a URL that no path can be put behind")
	default:
		return u, nil
	}
}

// CheckURL is a problem of variable when its value is no http or https URL, or names a user, who would be shown wherever the URL is.
func CheckURL(variable, raw string) error {
	if u, err := readURL(raw); err != nil || u.User != nil {
		return Problemf(variable, "must be an http or https URL without a user, such as https://app.example.com/start.")
	}
	return nil
}

func readURL(raw string) (*url.URL, error) {
	u, err := url.Parse(raw)
	if err != nil {
		return nil, errors.New("not a URL") // url.Error repeats the value, which may hold a password
	}
	port, err := strconv.ParseUint(u.Port(), 10, 16)
	switch {
	case u.Scheme != "http" && u.Scheme != "https", u.Opaque != "":
		return nil, errors.New("not an http or https URL")
	case u.Hostname() == "", strings.ContainsAny(u.Host, "* "):
		return nil, errors.New("a URL without a host")
	case u.Port() != "" && (err != nil || port == 0), strings.HasSuffix(u.Host, ":"):
		return nil, errors.New("a URL with a port that is none")
	}
	return u, nil
}

func originOf(u *url.URL) string {
	host := strings.ToLower(u.Host)
	if port := map[string]string{"http": ":80", "https": ":443"}[u.Scheme]; strings.HasSuffix(host, port) {
		host = strings.TrimSuffix(host, port)
	}
	return u.Scheme + "://" + host
}
