package accounts

import (
	"crypto/rand"
	"crypto/sha256"
	"net/http"
	"strings"
	"time"

	"github.com/atrium-mesh/atrium/services/auth/api"
)

// browserTTL is how long a browser is recognised as the one that signed up: longer than a link lives, for a person who asks for another.
const browserTTL = 7 * 24 * time.Hour

// browser is the secret of one that signed up. Whoever tries a taken address gets one of the same looks, which fits nothing.
type browser string

// browserOf is the secret that a browser has got before, or a new one. It keeps what it has whatever it signs up with: somebody who signs up
// a second time, with an address that is taken by then, goes on being who signed up the first time. It does so for every address, since
// another secret for a taken one would tell that it was. A secret that was not made here opens nothing to whoever made it up: it is
// kept of the account that they sign up in the same request.
func browserOf(cookie string) browser {
	made := rand.Text()
	if len(cookie) == len(made) && strings.Trim(cookie, base32Letters) == "" {
		return browser(cookie)
	}
	return browser(made)
}

const base32Letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567" // of rand.Text

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
