// Package docs owns what the gateway says about itself: the merged OpenAPI document of all services, made from their declarations,
// and the API reference at /docs (Swagger UI) and /redoc. Nothing is loaded from elsewhere.
package docs

import (
	"slices"

	"github.com/danielgtaylor/huma/v2"

	"github.com/atrium-mesh/atrium/pkg/op"
)

// Document is the merged OpenAPI document of these operations. Server is the origin that clients call.
func Document(server string, operations []op.Declared) *huma.OpenAPI {
	doc := op.Document(huma.Info{
		Title: "Atrium API", Version: "1", Description: about,
		License: &huma.License{Name: "Apache-2.0", Identifier: "Apache-2.0"},
		Contact: &huma.Contact{Name: "Atrium", URL: "https://github.com/atrium-mesh/atrium"},
	}, "/api/v1/auth/token", operations)
	doc.Servers = []*huma.Server{{URL: server, Description: "This gateway"}}
	doc.Tags = tags(doc)
	return doc
}

const about = `Sign-up and sign-in, user management and notifications behind one origin.

Sign in with ` + "`POST /api/v1/auth/login`" + ` and send the access token as ` + "`Authorization: Bearer …`" + `; the Authorize button does it for you here.
Errors are problem details (RFC 9457): branch on ` + "`code`" + `, show ` + "`detail`" + `, quote ` + "`request_id`" + ` to support.
Lists take ` + "`page`" + ` and ` + "`page_size`" + `, or ` + "`cursor`" + ` for deep ones. Changes honour ` + "`If-Match`" + `. Times are RFC 3339 in UTC.`

// tags names every tag that an operation uses, once.
func tags(doc *huma.OpenAPI) []*huma.Tag {
	var names []string
	for _, item := range doc.Paths {
		for _, o := range []*huma.Operation{item.Get, item.Put, item.Post, item.Delete, item.Patch} {
			if o != nil {
				names = append(names, o.Tags...)
			}
		}
	}
	slices.Sort(names)
	var out []*huma.Tag
	for _, n := range slices.Compact(names) {
		out = append(out, &huma.Tag{Name: n, Description: "Operations on " + n + "."})
	}
	return out
}
