package accounts

import (
	"crypto/rand"
	"crypto/sha256"
	"net/http"
	"time"

	"github.com/atrium-mesh/atrium/services/auth/api"
)

// browserTTL is how long a browser is recognised as the one that signed up: longer than a link lives, for a person who asks for another.
const browserTTL = 7 * 24 * time.Hour

// browser is the secret of one that signed up. Whoever tries a taken address gets one of the same looks, which fits nothing.
type browser string

func newBrowser() browser { return browser(rand.Text()) }

// hash is what is kept of it.
func (b browser) hash() []byte {
	sum := sha256.Sum256([]byte(b))
	return sum[:]
}

func (b browser) cookie() http.Cookie {
	return http.Cookie{
		Name:     api.CookieSignUp,
		Value:    string(b),
		Path:     "/",
		MaxAge:   int(browserTTL.Seconds()),
		Secure:   true,
		HttpOnly: true,
		SameSite: http.SameSiteLaxMode,
	}
}

// forgotten removes the cookie.
func forgotten() http.Cookie {
	c := browser("").cookie() //nolint:gosec // Secure and HttpOnly, see above
	c.MaxAge = -1
	return c
}
