package op

import (
	"maps"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humamux"
	"github.com/gorilla/mux"

	"github.com/atrium-mesh/atrium/pkg/errs"
)

// Names of the security schemes in the OpenAPI document.
const (
	SchemeBearer   = "bearer"   // an access token in the Authorization field
	SchemePassword = "password" // the same, fetched with e-mail and password by the reference's Authorize button
)

func apiConfig(title string) huma.Config {
	return huma.Config{
		OpenAPI: &huma.OpenAPI{
			OpenAPI: "3.1.0", Info: &huma.Info{Title: title, Version: "1"},
			Components: &huma.Components{Schemas: newRegistry()},
		},
		Formats: formats(), DefaultFormat: typeJSON, RejectUnknownQueryParameters: true,
		Transformers: []huma.Transformer{ownProblems},
	}
}

func newRegistry() huma.Registry {
	return huma.NewMapRegistry("#/components/schemas/", huma.DefaultSchemaNamer)
}

// Document is the OpenAPI 3.1 document of these operations, those with a path, in routing order. It is made from the declarations
// alone, so that the gateway needs no service to be up to serve it.
func Document(info huma.Info, tokenURL string, operations []Declared) *huma.OpenAPI {
	config := apiConfig(info.Title)
	config.Info = &info
	config.Components.SecuritySchemes = map[string]*huma.SecurityScheme{
		SchemeBearer: {Type: "http", Scheme: "bearer", BearerFormat: "JWT", Description: "An access token from sign-in."},
		SchemePassword: {
			Type: "oauth2", Description: "Signs in with an e-mail address and a password.",
			Flows: &huma.OAuthFlows{Password: &huma.OAuthFlow{TokenURL: tokenURL, RefreshURL: tokenURL, Scopes: map[string]string{}}},
		},
	}
	api := humamux.New(mux.NewRouter(), config)
	sorted := slices.Clone(operations)
	slices.SortStableFunc(sorted, func(a, b Declared) int { return Compare(a.Meta(), b.Meta()) })
	for _, o := range sorted {
		if o.Meta().Path != "" {
			o.document(api)
		}
	}
	addExamples(api.OpenAPI())
	return api.OpenAPI()
}

func (o Op[I, O]) document(api huma.API) {
	o.mustBeComplete()
	huma.Register[I, O](api, documented(api, o), nil)
}

// documented is the huma operation with what follows from the declaration: who may call it, and every error it can answer.
func documented[I, O any](api huma.API, o Op[I, O]) huma.Operation {
	h, m := o.clone(), o.Meta()
	if h.Responses == nil {
		h.Responses = map[string]*huma.Response{}
	}
	for _, status := range errorStatuses(reflect.TypeFor[I](), m, h.Errors) {
		of := strconv.Itoa(status)
		h.Responses[of] = withProblem(api.OpenAPI(), h.Responses[of], status)
	}
	h.Errors = nil
	if !o.Allow.IsPublic() {
		h.Security = []map[string][]string{{SchemeBearer: {}}, {SchemePassword: {}}}
	}
	h.Description = strings.TrimSpace(h.Description + "\n\nWho may call it: " + o.Allow.String() + ".")
	h.Deprecated = h.Deprecated || o.Deprecated != nil
	return h
}

// problemResponse refers to the one description of an error answer with this status, which it makes when it is first needed.
func problemResponse(doc *huma.OpenAPI, status int) *huma.Response {
	if doc.Components.Responses == nil {
		doc.Components.Responses = map[string]*huma.Response{}
	}
	name := "Problem" + strconv.Itoa(status)
	if doc.Components.Responses[name] == nil {
		e := errs.From(errs.KindOfStatus(status))
		doc.Components.Responses[name] = &huma.Response{
			Description: e.Message,
			Content: map[string]*huma.MediaType{errs.ContentType: {
				Schema:  doc.Components.Schemas.Schema(reflect.TypeFor[errs.Problem](), true, "Problem"),
				Example: errs.ProblemOf(e, "0198c5a0-6f5e-7c3b-9a51-3f7d1c2b4a5e"),
			}},
		}
	}
	return &huma.Response{Ref: "#/components/responses/" + name}
}

// withProblem adds the problem to an error answer that the operation declares in a form of another's, such as OAuth 2.0's.
func withProblem(doc *huma.OpenAPI, own *huma.Response, status int) *huma.Response {
	problem := problemResponse(doc, status)
	if own == nil {
		return problem
	}
	both := *own
	both.Content = maps.Clone(own.Content)
	maps.Copy(both.Content, doc.Components.Responses["Problem"+strconv.Itoa(status)].Content)
	return &both
}

// errorStatuses are those of the operation's own and of all that stands before it, at the gateway and in the service.
func errorStatuses(in reflect.Type, m Meta, own []int) []int {
	statuses := append([]int{
		http.StatusBadRequest,            // an address or a field that cannot be read
		http.StatusUnauthorized,          // a token that is missing or not good; of public operations, one in the address
		http.StatusRequestEntityTooLarge, // also a body where none is asked for
		http.StatusUnprocessableEntity,   // a parameter that is not declared
		http.StatusServiceUnavailable, http.StatusGatewayTimeout, http.StatusInternalServerError,
	}, own...)
	if _, body := in.FieldByName("Body"); body {
		statuses = append(statuses, http.StatusUnsupportedMediaType)
	}
	if strings.Contains(m.Path, "{") {
		statuses = append(statuses, http.StatusNotFound)
	}
	reads := m.Method == http.MethodGet || m.Method == http.MethodHead
	if m.Allow.Permission() != "" || !reads || m.Stream { // without the permission; by a page of another origin
		statuses = append(statuses, http.StatusForbidden)
	}
	if m.Limit != LimitNone {
		statuses = append(statuses, http.StatusTooManyRequests)
	}
	slices.Sort(statuses)
	return slices.Compact(statuses)
}
