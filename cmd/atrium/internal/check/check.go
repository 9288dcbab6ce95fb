// Package check asks an installed mesh whether it works: every process whether it is ready, and the gateway by walking through it as a person
// would. It is what `helm test` runs.
//
//	every address of every service ── GET /readyz
//	gateway ── sign up ── (mail) ── verify ── sign in ── profile ── sign out ── the token is refused
//
// Without an inbox nobody reads the mail: that the sign-in is refused because of the address is then as far as it goes.
package check

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"net/http"
	"slices"
	"time"
)

// Config says where the mesh is.
type Config struct {
	Gateway  string         // origin, https://atrium-gateway:8080
	Inbox    string         // origin of `atrium inbox`; empty: nobody reads mail
	Services []Service      // asked for their readiness
	Roots    *x509.CertPool // that vouch for the gateway and the inbox; nil: the system's
	Timeout  time.Duration  // of the wait for readiness, and again of the walk
	Admin    Credentials    // who removes the throw-away person; zero: nobody
	Say      func(string)   // told what is waited for, whenever that changes
}

// Service is one service, and the origin of its admin port. The name of its host stands for every address that it resolves to.
type Service struct{ Name, URL string }

// Credentials sign somebody in.
type Credentials struct {
	Email    string `json:"email"`
	Password string `json:"password"`
}

// Finding is one thing that was looked at.
type Finding struct {
	About string `json:"about"` // a service, or "walk"
	OK    bool   `json:"ok"`
	Found string `json:"found"` // a line for people
}

// Healthy says that nothing is wrong.
func Healthy(findings []Finding) bool {
	return !slices.ContainsFunc(findings, func(f Finding) bool { return !f.OK })
}

// Run looks at everything. The walk is left out while a service is not ready: it would say the same less clearly.
func Run(ctx context.Context, cfg Config) []Finding {
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: cfg.Roots, MinVersion: tls.VersionTLS12}}
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport, Timeout: requestLimit}
	findings := waitReady(ctx, client, cfg)
	if !Healthy(findings) {
		return findings
	}
	return append(findings, walkThrough(ctx, client, cfg)...)
}
