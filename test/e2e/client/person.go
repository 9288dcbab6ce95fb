package client

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	authapi "github.com/atrium-mesh/atrium/services/auth/api"
	usersapi "github.com/atrium-mesh/atrium/services/users/api"
)

// Password is what people have when a test does not say otherwise.
const Password = "eleven quiet bicycles"

// Person is somebody with an account.
type Person struct {
	ID, Email, Password, FullName string
}

// NewPerson makes up somebody with an address that nobody else has.
func NewPerson(name string) Person {
	return Person{Email: name + "-" + uuid.Must(uuid.NewV7()).String()[24:] + "@atrium.example", Password: Password, FullName: "Ada " + name}
}

// Register signs somebody up. The id is not known before they are signed in: see [Client.Subject].
func (c *Client) Register(p Person) Person {
	c.t.Helper()
	a := c.Post(authapi.Register.Path, map[string]string{"email": p.Email, "password": p.Password, "full_name": p.FullName}).Want(http.StatusAccepted)
	require.Equal(c.t, authapi.SignedUp{Email: p.Email}, Decode[authapi.SignedUp](a))
	require.Empty(c.t, a.Header.Get("Location"))
	return p
}

// Verify redeems the verification mail with the password that was chosen at sign-up.
func (c *Client) Verify(p Person) {
	c.t.Helper()
	mail := c.ReadMail(p.Email, SubjectVerification)
	c.Post(authapi.VerifyEmail.Path, map[string]string{"token": mail.Token(c.t), "password": p.Password}).Want(http.StatusNoContent)
}

// Subject is the id of whoever is signed in, as the access token says.
func (c *Client) Subject() string {
	c.t.Helper()
	parts := strings.Split(c.Access, ".")
	require.Len(c.t, parts, 3, "nobody is signed in")
	raw, err := base64.RawURLEncoding.DecodeString(parts[1])
	require.NoError(c.t, err)
	var claims struct{ Sub string }
	require.NoError(c.t, json.Unmarshal(raw, &claims))
	return claims.Sub
}

// FindUser waits until users knows somebody, and is the id; the client is an administrator's.
func (c *Client) FindUser(p Person) string {
	c.t.Helper()
	var id string
	c.Eventually("the user is listed", func() bool {
		a := c.Get(usersapi.ListUsers.Path + "?q=" + url.QueryEscape(p.Email)).Want(http.StatusOK)
		for _, user := range Decode[usersapi.UserPage](a).Items {
			id = user.ID
		}
		return id != ""
	})
	return id
}

// Login signs in; the client has the tokens from then on.
func (c *Client) Login(p Person) authapi.Tokens {
	c.t.Helper()
	a := c.Post(authapi.Login.Path, map[string]string{"email": p.Email, "password": p.Password}).Want(http.StatusOK)
	require.Equal(c.t, "no-store", a.Header.Get("Cache-Control"))
	tokens := Decode[authapi.Tokens](a)
	require.Equal(c.t, "Bearer", tokens.TokenType)
	require.Positive(c.t, tokens.ExpiresIn)
	require.NotEmpty(c.t, tokens.AccessToken)
	require.NotEmpty(c.t, tokens.RefreshToken)
	c.Access, c.Refresh = tokens.AccessToken, tokens.RefreshToken
	return tokens
}

// RefreshTokens trades the refresh token for new tokens.
func (c *Client) RefreshTokens() authapi.Tokens {
	c.t.Helper()
	a := c.Post(authapi.Refresh.Path, map[string]string{"refresh_token": c.Refresh}).Want(http.StatusOK)
	tokens := Decode[authapi.Tokens](a)
	c.Access, c.Refresh = tokens.AccessToken, tokens.RefreshToken
	return tokens
}

// SignUp is the whole way in: register, verify, sign in, and wait until the profile is there.
func (c *Client) SignUp(name string) (Person, *Client) {
	c.t.Helper()
	p := c.Register(NewPerson(name))
	c.Verify(p)
	device := c.Device("e2e/" + name)
	device.Login(p)
	p.ID = device.WaitActive().ID
	return p, device
}

// Me is one's own user.
func (c *Client) Me() (usersapi.User, string) {
	c.t.Helper()
	a := c.Get(usersapi.GetMe.Path).Want(http.StatusOK)
	return Decode[usersapi.User](a), a.ETag()
}

// WaitActive returns one's own user when it is there and active: the profile follows the account by an event.
func (c *Client) WaitActive() usersapi.User {
	c.t.Helper()
	var user usersapi.User
	c.Eventually("the profile is active", func() bool {
		a := c.Get(usersapi.GetMe.Path)
		if a.Status != http.StatusOK {
			return false
		}
		user = Decode[usersapi.User](a)
		return user.Status == "active"
	})
	return user
}
