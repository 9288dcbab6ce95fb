package fuzzapi

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// Request is what is sent: bytes, where net/http would mend something.
type Request struct {
	Operation *Operation
	Method    string
	Target    string // path and query as they stand in the request line
	Header    [][2]string
	Body      []byte
	Who       string // "anonymous", "user", "support" or "administrator"
	Spoiled   string // in which way; "": it is what the contract asks for
	Params    []Given
}

// Given is a parameter as it was meant, before it was escaped.
type Given struct{ In, Name, Value string }

func (r *Request) header(name string) (values []string) {
	for _, h := range r.Header {
		if strings.EqualFold(h[0], name) {
			values = append(values, h[1])
		}
	}
	return values
}

func (r *Request) drop(name string) {
	kept := r.Header[:0]
	for _, h := range r.Header {
		if !strings.EqualFold(h[0], name) {
			kept = append(kept, h)
		}
	}
	r.Header = kept
}

// String shows a request such that it can be sent again by hand.
func (r *Request) String() string {
	body := string(r.Body)
	if len(body) > 400 {
		body = body[:400] + "… (" + strconv.Itoa(len(r.Body)) + " bytes)"
	}
	var fields strings.Builder
	for _, h := range r.Header {
		fmt.Fprintf(&fields, " %s: %.80s;", h[0], h[1])
	}
	return fmt.Sprintf("[%s, %s, %s] %s %.300s%s %q", r.Operation.ID, r.Who, r.Spoiled, r.Method, r.Target, fields.String(), body)
}

// Answer is what came back. A stream is not read.
type Answer struct {
	Status int
	Header http.Header
	Body   []byte
}

const (
	answerWithin  = 30 * time.Second
	longestAnswer = 8 << 20
)

// send sends the request with the token, if there is one.
func send(ctx context.Context, client *http.Client, origin string, r *Request, token string) (*Answer, error) {
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	at, err := url.Parse(origin)
	if err != nil {
		return nil, err
	}
	request := (&http.Request{
		Method: r.Method, URL: &url.URL{Scheme: at.Scheme, Host: at.Host, Opaque: r.Target},
		Header: http.Header{}, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
	}).WithContext(ctx)
	for _, h := range r.Header {
		request.Header[http.CanonicalHeaderKey(h[0])] = append(request.Header[http.CanonicalHeaderKey(h[0])], h[1])
	}
	if token != "" {
		request.Header["Authorization"] = append(request.Header["Authorization"], "Bearer "+token)
	}
	if r.Body != nil {
		request.Body, request.ContentLength = io.NopCloser(strings.NewReader(string(r.Body))), int64(len(r.Body))
	}
	response, err := client.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	a := &Answer{Status: response.StatusCode, Header: response.Header}
	if response.StatusCode != http.StatusSwitchingProtocols && !strings.HasPrefix(response.Header.Get("Content-Type"), "text/event-stream") {
		a.Body, err = io.ReadAll(io.LimitReader(response.Body, longestAnswer))
	}
	return a, err
}
