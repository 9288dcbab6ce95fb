package op

import (
	"context"
	"errors"
	"net/http"
	"regexp"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/atrium-mesh/atrium/pkg/errs"
	"github.com/atrium-mesh/atrium/pkg/request"
	"github.com/atrium-mesh/atrium/pkg/text"
)

// answer is a problem as huma writes one.
type answer struct {
	errs.Problem
	headers http.Header
}

func (a *answer) Error() string             { return a.Code }
func (a *answer) GetStatus() int            { return a.Status }
func (a *answer) GetHeaders() http.Header   { return a.headers }
func (a *answer) ContentType(string) string { return errs.ContentType }

func problem(ctx context.Context, err error) *answer {
	h := errs.Headers(err)
	h.Set("Cache-Control", "no-store")
	return &answer{Problem: errs.ProblemOf(err, request.From(ctx).ID), headers: h}
}

// ownProblems replaces huma's error answers, which echo the rejected value, by ours, which never do.
func ownProblems(hctx huma.Context, _ string, v any) (any, error) {
	m, ok := v.(*huma.ErrorModel)
	if !ok {
		return v, nil
	}
	hctx.SetHeader("Cache-Control", "no-store")
	return errs.ProblemOf(fromHuma(m), request.From(hctx.Context()).ID), nil
}

func fromHuma(m *huma.ErrorModel) error {
	switch m.Status {
	case http.StatusBadRequest:
		return errs.New(errs.Malformed, "malformed_body", "The body cannot be read: it must be one complete JSON document in UTF-8.")
	case http.StatusRequestEntityTooLarge:
		return errs.New(errs.TooLarge, "body_too_large", "The body is larger than this operation takes.")
	case http.StatusUnsupportedMediaType:
		return unsupported()
	case http.StatusUnprocessableEntity:
		return errs.New(errs.Invalid, "validation_failed", "The request is not valid; see errors.").WithFields(fields(m.Errors)...)
	case http.StatusRequestTimeout:
		return errs.New(errs.Malformed, "body_too_slow", "The body did not arrive in time.")
	default:
		return errs.New(errs.KindOfStatus(m.Status), "request_refused", "The request was refused.")
	}
}

// invalid is huma's findings outside of huma's own answers.
func invalid(found []error) error {
	details := make([]*huma.ErrorDetail, 0, len(found))
	for _, err := range found {
		if d, ok := errors.AsType[*huma.ErrorDetail](err); ok {
			details = append(details, d)
		}
	}
	return fromHuma(&huma.ErrorModel{Status: http.StatusUnprocessableEntity, Errors: details})
}

const (
	maxFields   = 50  // mistakes of one request that are told: a body of a megabyte can hold 100,000 of them
	maxLocation = 128 // bytes of where one is: the name of an unknown field is the client's own, of any length
)

func fields(details []*huma.ErrorDetail) []errs.Field {
	var out []errs.Field
	for _, d := range details {
		if d != nil && len(out) < maxFields {
			out = append(out, field(d))
		}
	}
	return out
}

var requiredProperty = regexp.MustCompile(`^expected required property (\S+) to be present$`)

// fieldCodes gives huma's messages stable codes, the first match wins.
var fieldCodes = []struct{ text, code string }{
	{"required", "required"},
	{"unexpected property", "unknown_field"},
	{"unknown query parameter", "unknown_field"},
	{"expected length >=", "too_short"},
	{"expected length <=", "too_long"},
	{"expected array length >=", "too_few"},
	{"expected array length <=", "too_many"},
	{"expected number >", "too_small"},
	{"expected number <", "too_large"},
	{"expected value to be one of", "not_allowed"},
	{"expected string to be", "format"},
	{"expected string to match", "pattern"},
	{"to be unique", "duplicate"},
	{"expected at most one value", "repeated"},
	{"expected ", "type"},
	{"invalid ", "type"},
}

// field is what huma found wrong, without the value and without texts of Go's own decoders.
func field(d *huma.ErrorDetail) errs.Field {
	location := text.Bounded(d.Location, maxLocation)
	f := errs.Field{Field: location, Code: "invalid", Message: d.Message}
	if m := requiredProperty.FindStringSubmatch(d.Message); m != nil {
		return errs.Field{Field: location + "." + m[1], Code: "required", Message: "is required"}
	}
	for _, c := range fieldCodes {
		if strings.Contains(d.Message, c.text) {
			f.Code = c.code
			break
		}
	}
	if i := strings.Index(f.Message, ": "); i > 0 { // "expected string to be RFC 5322 email: mail: …": the rest is a decoder's
		f.Message = f.Message[:i]
	}
	if f.Code == "invalid" {
		f.Message = "is not valid"
	}
	return f
}
