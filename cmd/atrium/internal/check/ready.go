package check

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"time"

	"github.com/atrium-mesh/atrium/pkg/health"
)

const (
	readyPoll    = time.Second
	readyLimit   = 5 * time.Second // of one answer
	requestLimit = 40 * time.Second
	maxAnswer    = 1 << 20
)

// waitReady asks until every service is ready or the timeout is over, and returns a finding for each service that is ready and for each
// thing that is missing.
func waitReady(ctx context.Context, client *http.Client, cfg Config) []Finding {
	ctx, cancel := context.WithTimeout(ctx, cfg.Timeout)
	defer cancel()
	var last []Finding
	for {
		findings := askAll(ctx, client, cfg.Services)
		if ctx.Err() != nil && last != nil { // what was cut off says nothing about the service
			return last
		}
		if Healthy(findings) {
			return findings
		}
		for _, f := range findings {
			if !f.OK && !slices.Contains(last, f) {
				cfg.Say("waiting: " + f.Found)
			}
		}
		last = findings
		select {
		case <-ctx.Done():
			return last
		case <-time.After(readyPoll):
		}
	}
}

func askAll(ctx context.Context, client *http.Client, services []Service) []Finding {
	found := make([][]Finding, len(services))
	var asking sync.WaitGroup
	for i, s := range services {
		asking.Go(func() { found[i] = ask(ctx, client, s) })
	}
	asking.Wait()
	return slices.Concat(found...)
}

// ask asks every address of a service.
func ask(ctx context.Context, client *http.Client, s Service) []Finding {
	ctx, cancel := context.WithTimeout(ctx, readyLimit)
	defer cancel()
	origin, err := url.Parse(s.URL)
	if err != nil {
		return []Finding{{About: s.Name, Found: fmt.Sprintf("%s: %v", s.Name, err)}}
	}
	addresses, err := net.DefaultResolver.LookupHost(ctx, origin.Hostname())
	if err != nil || len(addresses) == 0 {
		return []Finding{{About: s.Name, Found: fmt.Sprintf("%s: no address of %s: is there a pod?", s.Name, origin.Hostname())}}
	}
	slices.Sort(addresses)
	var failed []Finding
	for _, address := range addresses {
		for _, what := range askOne(ctx, client, address, origin) {
			failed = append(failed, Finding{About: s.Name, Found: fmt.Sprintf("%s at %s: %s", s.Name, address, what)})
		}
	}
	if len(failed) > 0 {
		return failed
	}
	return []Finding{{About: s.Name, OK: true, Found: fmt.Sprintf("%s: ready (%d of %d)", s.Name, len(addresses), len(addresses))}}
}

// askOne returns what one process lacks.
func askOne(ctx context.Context, client *http.Client, address string, origin *url.URL) []string {
	at := url.URL{Scheme: "http", Host: net.JoinHostPort(address, origin.Port()), Path: "/readyz"}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, at.String(), http.NoBody)
	if err != nil {
		return []string{err.Error()}
	}
	request.Host, request.Close = origin.Host, true
	response, err := client.Do(request)
	if err != nil {
		return []string{"no answer: " + cause(err)}
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer))
	if err != nil {
		return []string{"no answer: " + cause(err)}
	}
	return lacks(response.StatusCode, body)
}

// lacks reads an answer of /readyz; nothing: it is ready.
func lacks(status int, body []byte) []string {
	if status == http.StatusOK {
		return nil
	}
	var report health.Report
	if err := json.Unmarshal(body, &report); err != nil || len(report.Checks) == 0 {
		return []string{fmt.Sprintf("/readyz answers %d", status)}
	}
	var found []string
	for _, name := range slices.Sorted(maps.Keys(report.Checks)) {
		result := report.Checks[name]
		switch {
		case result.Status == health.OK:
		case name == "shutdown":
			found = append(found, "it is shutting down")
		case result.Error == "" || result.Error == "unavailable":
			found = append(found, name+" is not available")
		default:
			found = append(found, fmt.Sprintf("%s is not available (%s)", name, result.Error))
		}
	}
	if len(found) == 0 {
		return []string{fmt.Sprintf("/readyz answers %d", status)}
	}
	return found
}
