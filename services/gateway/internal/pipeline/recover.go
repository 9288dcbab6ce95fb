package pipeline

import (
	"errors"
	"fmt"
	"net/http"
	"runtime/debug"
)

// recover turns a panic into a 500 without a word about it; the log line has all of it. An answer that has begun is cut off, so that
// nobody takes half of one for the whole.
func (p *Pipeline) recover(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() { //nolint:contextcheck // the request has it
			v := recover()
			if v == nil {
				return
			}
			if err, ok := v.(error); ok && errors.Is(err, http.ErrAbortHandler) {
				panic(v) // net/http's own way to drop a connection
			}
			x := ExchangeFrom(r.Context())
			x.err = fmt.Errorf("panic: %v\n%s", v, debug.Stack())
			if x.status != 0 {
				panic(http.ErrAbortHandler)
			}
			Refuse(w, r, x.err)
		}()
		next.ServeHTTP(w, r)
	})
}
