package fuzzapi

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"path"
	"slices"
	"strings"
)

// Whos are the callers, from nobody to the strongest.
var Whos = []string{"anonymous", "user", "support", "administrator"}

// Callers are the accounts that the requests are sent with.
type Callers interface {
	// Token is the caller's access token; "" for nobody.
	Token(who string) string
	// Renew is called when the token is not taken any more: the account may be signed out, changed or gone.
	Renew(who string)
}

// Options are what a run needs.
type Options struct {
	Origin   string // of the gateway
	Client   *http.Client
	Contract *Contract
	Callers  Callers
	Private  []string // ids that are never used: whom the run needs alive
	Seed     uint64
	Requests int
}

// Finding is a fault, with the first request that showed it.
type Finding struct {
	Fault   string
	Request string
	Answer  string
	Times   int
}

// Report is what a run has seen.
type Report struct {
	Sent     int
	Statuses map[int]int
	Accepted map[string]int // operation → requests that were accepted
	Findings []*Finding
}

const renewEvery = 500 // requests: whoever became a user by our own requests is support again

// Run sends requests until their number is reached. It fails only when the gateway does not answer.
func Run(ctx context.Context, opts Options) (*Report, error) {
	known := &knowledge{ids: map[string][]string{}, private: map[string]bool{}}
	for _, id := range opts.Private {
		known.private[id] = true
	}
	g := generator{
		Rand: rand.New(rand.NewPCG(opts.Seed, opts.Seed)), contract: opts.Contract, known: known,
	}
	report := &Report{Statuses: map[int]int{}, Accepted: map[string]int{}}
	found := map[string]*Finding{}
	for ; report.Sent < opts.Requests; report.Sent++ {
		if report.Sent%renewEvery == renewEvery-1 {
			for _, who := range Whos[1:] {
				opts.Callers.Renew(who)
			}
		}
		r := g.next()
		a, err := send(ctx, opts.Client, opts.Origin, r, opts.Callers.Token(r.Who))
		if err != nil {
			return report, fmt.Errorf("request %d: %s: %w", report.Sent, r, err)
		}
		report.Statuses[a.Status]++
		if a.Status < http.StatusMultipleChoices && r.Method == r.Operation.Method {
			report.Accepted[r.Operation.ID]++
		}
		if a.Status == http.StatusUnauthorized && r.Who != "anonymous" {
			opts.Callers.Renew(r.Who)
		}
		known.read(r, a)
		for _, fault := range opts.Contract.judge(r, a) {
			key := r.Operation.ID + r.Spoiled + strings.SplitN(fault, ":", 2)[0]
			if f := found[key]; f != nil {
				f.Times++
				continue
			}
			found[key] = &Finding{Fault: fault, Request: r.String(), Answer: fmt.Sprintf("%d %.600s", a.Status, a.Body), Times: 1}
		}
	}
	for _, key := range slices.Sorted(maps.Keys(found)) {
		report.Findings = append(report.Findings, found[key])
	}
	return report, nil
}

// rarely are operations that a run of one in ten requests to would be about nothing else: each costs a hash of a password or a new key.
var rarely = map[string]bool{"rotate-keys": true, "logout-all": true, "delete-user": true}

// next is the next request: a quarter stays as the contract asks for.
func (g generator) next() *Request {
	o := g.contract.Operations[g.IntN(len(g.contract.Operations))]
	for rarely[o.ID] && g.IntN(5) > 0 {
		o = g.contract.Operations[g.IntN(len(g.contract.Operations))]
	}
	r := g.request(o)
	r.Who = Whos[min(g.IntN(6), 3)] // the administrator reaches the most code
	if g.IntN(4) == 0 {
		return r
	}
	for range 20 {
		if s := spoilers[g.IntN(len(spoilers))]; s.spoil(g, r) {
			r.Spoiled = s.name
			break
		}
	}
	return r
}

// read learns the ids of an answer.
func (k *knowledge) read(r *Request, a *Answer) {
	if a.Status >= http.StatusMultipleChoices {
		return
	}
	if location := a.Header.Get("Location"); location != "" {
		k.learn(path.Dir(location), path.Base(location))
	}
	var list struct {
		Items []struct {
			ID   string `json:"id"`
			Name string `json:"name"`
		} `json:"items"`
	}
	if r.Operation.Method != http.MethodGet || json.Unmarshal(a.Body, &list) != nil {
		return
	}
	for _, item := range list.Items {
		if item.ID != "" {
			k.learn(r.Operation.Path, item.ID)
		} else {
			k.learn(r.Operation.Path, item.Name)
		}
	}
}
