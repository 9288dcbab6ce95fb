package fuzzapi

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// Contract is an OpenAPI 3.1 document, ready to be asked.
type Contract struct {
	Operations []*Operation
	Methods    map[string][]string // path template → the methods that it offers
	Hidden     map[string][]string // the same for pages, which the document does not have
	problem    *jsonschema.Schema
	document   map[string]any
}

// Operation is one method of one path.
type Operation struct {
	ID, Method, Path string
	Params           []Param
	BodyType         string         // media type; "": no body
	BodySchema       map[string]any // as it stands in the document
	BodyRequired     bool
	Example          any
	body             *jsonschema.Schema
	responses        map[string]map[string]*jsonschema.Schema // status → media type → schema; nil schema: not JSON
}

// Param is a parameter outside of the body.
type Param struct {
	In, Name string
	Schema   map[string]any
	Required bool
	valid    *jsonschema.Schema
}

const documentURL = "openapi.json"

// ReadContract reads an OpenAPI document.
func ReadContract(raw []byte) (*Contract, error) {
	parsed, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
	if err != nil {
		return nil, fmt.Errorf("read the contract: %w", err)
	}
	doc, ok := parsed.(map[string]any)
	if !ok {
		return nil, fmt.Errorf("read the contract: it is a %T", parsed)
	}
	compiler := jsonschema.NewCompiler()
	compiler.DefaultDraft(jsonschema.Draft2020)
	compiler.AssertFormat()
	compiler.RegisterFormat(&jsonschema.Format{Name: "idn-email", Validate: checkAddress})
	if err := compiler.AddResource(documentURL, doc); err != nil {
		return nil, fmt.Errorf("read the contract: %w", err)
	}
	c := &Contract{Methods: map[string][]string{}, document: doc}
	b := builder{compiler: compiler, contract: c}
	paths := object(doc["paths"])
	for _, path := range slices.Sorted(maps.Keys(paths)) {
		for _, method := range slices.Sorted(maps.Keys(object(paths[path]))) {
			if err := b.operation(path, method); err != nil {
				return nil, err
			}
		}
	}
	c.problem, err = compiler.Compile(documentURL + "#/components/schemas/Problem")
	return c, err
}

type builder struct {
	compiler *jsonschema.Compiler
	contract *Contract
}

func (b builder) compile(pointer ...string) (*jsonschema.Schema, error) {
	for i, p := range pointer {
		pointer[i] = strings.NewReplacer("~", "~0", "/", "~1").Replace(p)
	}
	s, err := b.compiler.Compile(documentURL + "#/" + strings.Join(pointer, "/"))
	if err != nil {
		return nil, fmt.Errorf("read the contract: %w", err)
	}
	return s, nil
}

func (b builder) operation(path, method string) (err error) {
	c := b.contract
	raw := object(object(object(c.document["paths"])[path])[method])
	o := &Operation{ID: text(raw["operationId"]), Method: strings.ToUpper(method), Path: path, responses: map[string]map[string]*jsonschema.Schema{}}
	params, _ := raw["parameters"].([]any)
	for i, p := range params {
		p := object(p)
		param := Param{In: text(p["in"]), Name: text(p["name"]), Schema: c.resolve(p["schema"]), Required: p["required"] == true}
		if param.valid, err = b.compile("paths", path, method, "parameters", fmt.Sprint(i), "schema"); err != nil {
			return err
		}
		o.Params = append(o.Params, param)
	}
	body := object(raw["requestBody"])
	for media, content := range object(body["content"]) {
		o.BodyType, o.BodySchema, o.Example = media, object(object(content)["schema"]), object(content)["example"]
		o.BodyRequired = body["required"] == true
		if o.body, err = b.compile("paths", path, method, "requestBody", "content", media, "schema"); err != nil {
			return err
		}
	}
	for status, r := range object(raw["responses"]) {
		if o.responses[status], err = b.response(r, "paths", path, method, "responses", status); err != nil {
			return err
		}
	}
	c.Operations = append(c.Operations, o)
	c.Methods[path] = append(c.Methods[path], o.Method)
	return nil
}

func (b builder) response(r any, pointer ...string) (map[string]*jsonschema.Schema, error) {
	response := object(r)
	if ref := text(response["$ref"]); ref != "" {
		pointer = strings.Split(strings.TrimPrefix(ref, "#/"), "/")
		response = b.contract.resolve(r)
	}
	out := map[string]*jsonschema.Schema{}
	for media, content := range object(response["content"]) {
		out[media] = nil
		if !strings.HasSuffix(media, "json") || object(content)["schema"] == nil {
			continue
		}
		s, err := b.compile(append(slices.Clone(pointer), "content", media, "schema")...)
		if err != nil {
			return nil, err
		}
		out[media] = s
	}
	return out, nil
}

// resolve follows a reference within the document.
func (c *Contract) resolve(v any) map[string]any {
	schema := object(v)
	for {
		ref := text(schema["$ref"])
		if ref == "" {
			return schema
		}
		var at any = c.document
		for name := range strings.SplitSeq(strings.TrimPrefix(ref, "#/"), "/") {
			at = object(at)[name]
		}
		schema = object(at)
	}
}

func object(v any) map[string]any { m, _ := v.(map[string]any); return m }
func text(v any) string           { s, _ := v.(string); return s }
