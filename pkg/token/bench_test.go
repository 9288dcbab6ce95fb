package token_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/stretchr/testify/require"

	"github.com/atrium-mesh/atrium/pkg/authz"
	"github.com/atrium-mesh/atrium/pkg/token"
	"github.com/atrium-mesh/atrium/pkg/token/tokentest"
)

func BenchmarkVerifyCached(b *testing.B) {
	issuer := tokentest.NewIssuer(b)
	verifier := issuer.Verifier(nil)
	raw := issuer.SignAdmin("u1")
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if _, err := verifier.Verify(b.Context(), raw); err != nil {
				b.Error(err)
			}
		}
	})
}

func BenchmarkVerifyUncached(b *testing.B) {
	for _, alg := range []jose.SignatureAlgorithm{jose.ES256, jose.RS256} {
		b.Run(string(alg), func(b *testing.B) {
			issuer := tokentest.NewIssuer(b, tokentest.WithAlgorithm(alg))
			verifier := token.NewVerifier(token.Config{Issuers: []token.Issuer{issuer.Own()}, CacheSize: 1})
			raws := []string{issuer.SignAdmin("u1"), issuer.SignAdmin("u2")} // they push each other out of the cache
			b.ReportAllocs()
			n := 0
			for b.Loop() {
				n++
				if _, err := verifier.Verify(b.Context(), raws[n%2]); err != nil {
					b.Fatal(err)
				}
			}
			b.StopTimer()
			require.NoError(b, verifier.Stop(b.Context()))
		})
	}
}

func BenchmarkVerifyGarbage(b *testing.B) {
	issuer := tokentest.NewIssuer(b)
	verifier := issuer.Verifier(nil)
	raw := issuer.WrongAudience(tokentest.Claims{})
	b.ReportAllocs()
	for b.Loop() {
		if _, err := verifier.Verify(b.Context(), raw); err == nil {
			b.Fatal("accepted")
		}
	}
}

func BenchmarkWatermarksRevoked(b *testing.B) {
	w := token.NewWatermarks(nil)
	for n := range 100_000 {
		w.Raise(userMark(fmt.Sprint(n), time.Now()))
	}
	p := &authz.Principal{Subject: "u", SessionID: "s"}
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if w.Revoked(p) {
				b.Error("revoked")
			}
		}
	})
}
