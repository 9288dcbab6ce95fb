package fuzzapi

import (
	"bytes"
	"encoding/json"
	"fmt"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

const typeProblem = "application/problem+json"

// judge says what is wrong with an answer, a sentence for each fault.
func (c *Contract) judge(r *Request, a *Answer) (faults []string) {
	add := func(format string, args ...any) { faults = append(faults, fmt.Sprintf(format, args...)) }
	if a.Status >= http.StatusInternalServerError {
		add("answered %d", a.Status)
	}
	at, err := url.ParseRequestURI(r.Target)
	if err != nil { // net/http refuses it before anything of ours
		if a.Status != http.StatusBadRequest {
			add("answered %d to an address that is none", a.Status)
		}
		return faults
	}
	template, ok := c.template(r, at)
	o := c.operation(r.Method, template)
	switch {
	case !ok: // another path than the operation's
		return append(faults, c.judgeProblem(r, a)...)
	case o == nil:
		return append(faults, c.judgeMethod(r, a, template)...)
	}
	documented, ok := o.responses[strconv.Itoa(a.Status)]
	if !ok {
		add("answered %d, which the contract does not know", a.Status)
	}
	media, _, _ := mime.ParseMediaType(a.Header.Get("Content-Type"))
	if a.Status >= http.StatusBadRequest && media != typeProblem && documented[media] != nil { // an error of another's form, such as OAuth 2.0's
		faults = append(faults, judgeContent(a, documented)...)
	} else {
		faults = append(faults, c.judgeProblem(r, a)...)
	}
	if a.Status < http.StatusMultipleChoices {
		if reason := c.invalid(o, r, at); reason != "" {
			add("answered %d although %s", a.Status, reason)
		}
		if ok && r.Method != http.MethodHead && len(faults) == 0 {
			faults = append(faults, judgeContent(a, documented)...)
		}
	}
	if r.Spoiled == "" && slices.Contains([]string{"malformed_body", "malformed_url", "malformed_header", "unsupported_content_type"}, a.code()) {
		add("answered %s to a request that nobody spoiled", a.code())
	}
	return faults
}

// template is the path template that serves an address, and whether it is the one that the request was made for.
func (c *Contract) template(r *Request, at *url.URL) (string, bool) {
	want, got := strings.Split(r.Operation.Path, "/"), strings.Split(at.EscapedPath(), "/")
	if len(want) != len(got) {
		return "", false
	}
	for i := range want {
		if want[i] != got[i] && (!strings.HasPrefix(want[i], "{") || got[i] == "" || got[i] == "." || got[i] == "..") {
			return "", false
		}
	}
	for path := range c.Methods { // /users/me is not /users/{id}
		if path != r.Operation.Path && path == at.Path {
			return "", false
		}
	}
	return r.Operation.Path, true
}

// operation is what serves the method at a template. HEAD is GET without content, which a stream would never end.
func (c *Contract) operation(method, template string) *Operation {
	for _, o := range c.Operations {
		if o.Path == template && (o.Method == method || method == http.MethodHead && o.Method == http.MethodGet && !o.isStream()) {
			return o
		}
	}
	return nil
}

func (o *Operation) isStream() bool { return o.responses["101"] != nil }

func (a *Answer) code() string {
	var p struct {
		Code string `json:"code"`
	}
	_ = json.Unmarshal(a.Body, &p) // what is no problem has no code
	return p.Code
}

// judgeProblem asks every refusal to be a whole problem (RFC 9457) with a code.
func (c *Contract) judgeProblem(r *Request, a *Answer) []string {
	if a.Status < http.StatusBadRequest || r.Method == http.MethodHead {
		return nil
	}
	if media, _, _ := mime.ParseMediaType(a.Header.Get("Content-Type")); media != typeProblem {
		return []string{fmt.Sprintf("answered %d as %q", a.Status, a.Header.Get("Content-Type"))}
	}
	problem, err := jsonschema.UnmarshalJSON(bytes.NewReader(a.Body))
	if err == nil {
		err = c.problem.Validate(problem)
	}
	if err != nil {
		return []string{fmt.Sprintf("answered %d with a problem that is none: %s", a.Status, oneLine(err))}
	}
	if status := plain(object(problem)["status"]); status != strconv.Itoa(a.Status) || a.code() == "" {
		return []string{fmt.Sprintf("answered %d with a problem of status %s and code %q", a.Status, status, a.code())}
	}
	return nil
}

// judgeMethod asks for 405, or 204 to OPTIONS, and for the methods that the path does offer (RFC 9110 section 10.2.1).
func (c *Contract) judgeMethod(r *Request, a *Answer, template string) (faults []string) {
	if r.Method != http.MethodOptions {
		faults = c.judgeProblem(r, a)
	}
	want := http.StatusMethodNotAllowed
	if r.Method == http.MethodOptions {
		want = http.StatusNoContent
	}
	if a.Status == http.StatusBadRequest && r.Method != http.MethodOptions { // the address or a field was unreadable besides
		return faults
	}
	if a.Status != want {
		faults = append(faults, fmt.Sprintf("answered %d to %s, not %d", a.Status, r.Method, want))
	}
	offered := append(slices.Clone(c.Methods[template]), http.MethodOptions)
	offered = append(offered, c.Hidden[template]...)
	if get := c.operation(http.MethodGet, template); get != nil && !get.isStream() {
		offered = append(offered, http.MethodHead)
	}
	allow := strings.Split(strings.ReplaceAll(a.Header.Get("Allow"), " ", ""), ",")
	slices.Sort(allow)
	slices.Sort(offered)
	if !slices.Equal(allow, offered) {
		faults = append(faults, fmt.Sprintf("Allow is %v and the contract offers %v", allow, offered))
	}
	return faults
}

func judgeContent(a *Answer, documented map[string]*jsonschema.Schema) []string {
	if len(documented) == 0 {
		if len(a.Body) > 0 {
			return []string{fmt.Sprintf("answered %d with content, and the contract has none", a.Status)}
		}
		return nil
	}
	media, _, _ := mime.ParseMediaType(a.Header.Get("Content-Type"))
	schema, ok := documented[media]
	switch {
	case !ok:
		return []string{fmt.Sprintf("answered %d as %q, which the contract does not know", a.Status, media)}
	case schema == nil:
		return nil
	}
	content, err := jsonschema.UnmarshalJSON(bytes.NewReader(a.Body))
	if err == nil {
		err = schema.Validate(content)
	}
	if err != nil {
		return []string{fmt.Sprintf("answered %d with content against its schema: %s", a.Status, oneLine(err))}
	}
	return nil
}

func oneLine(err error) string {
	line := strings.Join(strings.Fields(err.Error()), " ")
	return line[:min(len(line), 300)]
}
