package test

import (
	"net/http"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	http.DefaultTransport.(*http.Transport).DisableKeepAlives = true //nolint:forbidigo // readiness is asked for with it
	goleak.VerifyTestMain(m)
}
