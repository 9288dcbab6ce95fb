package token

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"mime"
	"slices"
	"strings"
	"time"

	"github.com/atrium-mesh/atrium/pkg/strictjson"
)

// parsed is what a token says of itself. Nothing of it is believed before the signature was verified.
type parsed struct {
	header  header
	claims  registered
	issuer  *trusted
	payload []byte
}

// header is the JOSE header (RFC 7515, section 4.1).
type header struct {
	Alg  string          `json:"alg"`
	Kid  string          `json:"kid"`
	Typ  string          `json:"typ"`
	Crit json.RawMessage `json:"crit"`
}

// registered are the claims that are looked at before the signature (RFC 7519, section 4.1).
type registered struct {
	Issuer    string       `json:"iss"`
	Subject   string       `json:"sub"`
	Audience  stringList   `json:"aud"`
	ExpiresAt *numericDate `json:"exp"`
	NotBefore *numericDate `json:"nbf"`
	IssuedAt  *numericDate `json:"iat"`
	ID        string       `json:"jti"`
}

// precheck reads a token and refuses whatever can be refused without a key: no network, no cryptography.
func (in realm) precheck(raw string, now time.Time) (*parsed, error) {
	head, payload, err := split(raw)
	if err != nil {
		return nil, errInvalid(err)
	}
	p := &parsed{payload: payload}
	if err := strictjson.Unmarshal(head, &p.header); err != nil {
		return nil, errInvalid(fmt.Errorf("header: %w", err))
	}
	if err := strictjson.Unmarshal(payload, &p.claims); err != nil {
		return nil, errInvalid(fmt.Errorf("claims: %w", err))
	}
	p.issuer = in.issuers[p.claims.Issuer]
	if p.issuer == nil {
		return nil, errInvalid(errors.New("unknown issuer"))
	}
	if err := p.checkHeader(); err != nil {
		return nil, errInvalid(err)
	}
	if err := p.checkClaims(now); err != nil {
		return nil, errInvalid(err)
	}
	if !now.Before(p.claims.ExpiresAt.Time()) {
		return nil, errExpired()
	}
	return p, nil
}

// split gives the decoded header and payload of a compact JWS with three parts, none of them empty, in strict base64url: what the
// standard decoder skips (line breaks) or ignores (trailing bits) would give one token many spellings.
func split(raw string) (head, payload []byte, err error) {
	if len(raw) > MaxSize {
		return nil, nil, errors.New("too long")
	}
	if strings.ContainsAny(raw, "\r\n") {
		return nil, nil, errors.New("line breaks")
	}
	h, rest, _ := strings.Cut(raw, ".")
	p, signature, _ := strings.Cut(rest, ".")
	if h == "" || p == "" || signature == "" || strings.Contains(signature, ".") {
		return nil, nil, errors.New("not three parts")
	}
	encoding := base64.RawURLEncoding.Strict()
	if head, err = encoding.DecodeString(h); err != nil {
		return nil, nil, fmt.Errorf("header: %w", err)
	}
	if payload, err = encoding.DecodeString(p); err != nil {
		return nil, nil, fmt.Errorf("payload: %w", err)
	}
	if _, err = encoding.DecodeString(signature); err != nil {
		return nil, nil, fmt.Errorf("signature: %w", err)
	}
	return head, payload, nil
}

func (p *parsed) checkHeader() error {
	switch {
	case !slices.Contains(p.issuer.algorithms, p.header.Alg):
		return errors.New("algorithm is not allowed")
	case p.header.Crit != nil:
		return errors.New("critical header parameters are not understood")
	case !slices.Contains(p.issuer.types, mediaType(p.header.Typ)):
		return errors.New("typ is not allowed")
	case p.issuer.Own && p.header.Kid == "": // trying all keys is for further issuers, who may have a single one without a name
		return errors.New("no kid")
	default:
		return nil
	}
}

// mediaType is typ in one spelling: RFC 7515, section 4.1.9, leaves out "application/" when there is no other slash.
func mediaType(typ string) string {
	if typ == "" {
		return ""
	}
	if !strings.Contains(typ, "/") {
		typ = "application/" + typ
	}
	media, params, err := mime.ParseMediaType(typ)
	if err != nil || len(params) > 0 {
		return "invalid"
	}
	return media
}

func (p *parsed) checkClaims(now time.Time) error {
	c, latest := &p.claims, now.Add(leeway)
	switch {
	case !slices.Contains(c.Audience, p.issuer.Audience):
		return errors.New("meant for another audience")
	case c.Subject == "":
		return errors.New("no subject")
	case c.ExpiresAt == nil:
		return errors.New("no exp")
	case c.NotBefore != nil && c.NotBefore.Time().After(latest):
		return errors.New("not valid yet")
	case c.IssuedAt != nil && c.IssuedAt.Time().After(latest):
		return errors.New("issued in the future")
	case c.IssuedAt != nil && !c.ExpiresAt.Time().After(c.IssuedAt.Time()):
		return errors.New("expires before it was issued")
	case p.issuer.Own && (c.IssuedAt == nil || c.ID == ""):
		return errors.New("no iat or no jti")
	default:
		return nil
	}
}

// stringList is a claim that is one string or a list of them, as aud is (RFC 7519, section 4.1.3).
type stringList []string

// UnmarshalJSON accepts a string and a list of strings.
func (l *stringList) UnmarshalJSON(data []byte) error {
	if len(data) > 0 && data[0] == '"' {
		var one string
		if err := json.Unmarshal(data, &one); err != nil {
			return fmt.Errorf("string: %w", err)
		}
		*l = stringList{one}
		return nil
	}
	var many []string
	if err := json.Unmarshal(data, &many); err != nil {
		return fmt.Errorf("list of strings: %w", err)
	}
	*l = many
	return nil
}

// numericDate is seconds since 1970, possibly with a fraction (RFC 7519, section 2).
type numericDate float64

const latestDate = 253402300799 // the end of the year 9999: what an RFC 3339 time can say

// UnmarshalJSON accepts a number from 1970 to 9999.
func (d *numericDate) UnmarshalJSON(data []byte) error {
	var seconds float64
	if err := json.Unmarshal(data, &seconds); err != nil {
		return fmt.Errorf("numeric date: %w", err)
	}
	if seconds < 0 || seconds > latestDate {
		return errors.New("numeric date: out of range")
	}
	*d = numericDate(seconds)
	return nil
}

// Time is the instant, to the millisecond.
func (d numericDate) Time() time.Time { return time.UnixMilli(int64(float64(d) * 1000)).UTC() }
