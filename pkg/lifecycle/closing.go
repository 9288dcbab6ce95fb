package lifecycle

import (
	"bufio"
	"net"
	"net/http"
	"sync/atomic"
)

// Drain asks clients, with every answer from now on, to send nothing more over its connection: "Connection: close" (RFC 9112, section
// 9.6), which in HTTP/2 is a GOAWAY. Connections that are idle stay open, so that a request that is on its way meets no closed door; they
// are for Stop, which should come after the time for which clients keep idle connections.
func (s *HTTPServer) Drain() { s.draining.Store(true) }

// closing puts the word of farewell into answers when their header is written, also of requests that came before the end was known.
func (s *HTTPServer) closing(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		next.ServeHTTP(&closingWriter{ResponseWriter: w, draining: &s.draining}, r)
	})
}

type closingWriter struct {
	http.ResponseWriter
	draining *atomic.Bool
	wrote    bool
}

func (w *closingWriter) WriteHeader(status int) {
	w.sayGoodbye(status)
	w.ResponseWriter.WriteHeader(status)
}

func (w *closingWriter) Write(p []byte) (int, error) {
	w.sayGoodbye(http.StatusOK)
	return w.ResponseWriter.Write(p)
}

// Flush sends what there is, and the header before it.
func (w *closingWriter) Flush() { _ = w.FlushError() }

// FlushError is http.ResponseController's.
func (w *closingWriter) FlushError() error {
	w.sayGoodbye(http.StatusOK)
	return http.NewResponseController(w.ResponseWriter).Flush()
}

// Hijack takes the connection over, which then has no answers.
func (w *closingWriter) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	return http.NewResponseController(w.ResponseWriter).Hijack()
}

// Unwrap is for http.ResponseController.
func (w *closingWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func (w *closingWriter) sayGoodbye(status int) {
	if w.wrote || status < http.StatusOK { // of a switch of protocols the connection outlives the answer
		return
	}
	w.wrote = true
	if w.draining.Load() {
		w.Header().Set("Connection", "close")
	}
}
