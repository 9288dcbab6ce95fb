package test

import (
	"net/http"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	http.DefaultTransport.(*http.Transport).DisableKeepAlives = true //nolint:forbidigo // readiness is asked for with it
	// The Redis client looks anew for a cluster's nodes up to a second after it was closed; nothing ends that wait.
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("github.com/redis/rueidis.(*call).DelayDo.func1"))
}
