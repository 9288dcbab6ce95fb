package op_test

import (
	"encoding/json"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/stretchr/testify/require"

	"github.com/atrium-mesh/atrium/pkg/errs"
	"github.com/atrium-mesh/atrium/pkg/op"
)

// overNATS sends the body as it stands, as the member Body of a request, and returns the code of the refusal, its fields and the answer.
func (b *bundle) overNATS(t *testing.T, conn *nats.Conn, subject, request string) (string, []string, string) {
	t.Helper()
	msg := nats.NewMsg(subject)
	msg.Data = []byte(request)
	reply, err := conn.RequestMsg(msg, 5*time.Second)
	require.NoError(t, err)
	if refusal := reply.Header.Get("Atrium-Error"); refusal != "" {
		e := errs.Decode(refusal)
		return e.Code, fieldsOf(e.Fields), ""
	}
	return "", nil, string(reply.Data)
}

func fieldsOf(fields []errs.Field) []string {
	var out []string
	for _, f := range fields {
		out = append(out, f.Field+" "+f.Code)
	}
	slices.Sort(out)
	return out
}

// TestBodyIsReadOnceAndStrictly sends each body over HTTP and over NATS: the outcome is the same, field by field.
func TestBodyIsReadOnceAndStrictly(t *testing.T) {
	t.Parallel()
	b := setup(t, echo)
	conn := b.natsURL.Connect(t)
	const malformed, refused = "malformed_body", "validation_failed"
	for name, c := range map[string]struct {
		body, code string
		fields     []string
	}{
		"good":                        {`{"name":"lamp","tags":["a","b"],"inner":{"deep":true},"data":{"n":null}}`, "", nil},
		"null where it may be":        {`{"name":"lamp","note":null,"loose":null}`, "", nil},
		"upper case":                  {`{"NAME":"lamp"}`, refused, []string{"body.NAME unknown_field", "body.name required"}},
		"upper case besides":          {`{"name":"lamp","NAME":"a name that is longer than allowed"}`, refused, []string{"body.NAME unknown_field"}},
		"upper case in depth":         {`{"name":"lamp","inner":{"deep":true,"Deep":false}}`, refused, []string{"body.inner.Deep unknown_field"}},
		"twice":                       {`{"name":"lamp","name":"lamps"}`, malformed, nil},
		"twice in depth":              {`{"name":"lamp","inner":{"deep":true,"deep":false}}`, malformed, nil},
		"twice in free data":          {`{"name":"lamp","data":{"x":[{"y":1,"y":2}]}}`, malformed, nil},
		"lone surrogate":              {`{"name":"lamp\ud800"}`, malformed, nil},
		"NUL":                         {`{"name":"la\u0000mp"}`, malformed, nil},
		"not UTF-8":                   {"{\"name\":\"lamp\xff\"}", malformed, nil},
		"too deep":                    {`{"name":"lamp","data":{"x":` + strings.Repeat("[", 65) + strings.Repeat("]", 65) + `}}`, malformed, nil},
		"null for a required member":  {`{"name":null}`, refused, []string{"body.name type"}},
		"null for an optional member": {`{"name":"lamp","kind":null,"count":null}`, refused, []string{"body.count type", "body.kind type"}},
		"null for an object":          {`{"name":"lamp","inner":null,"data":null}`, refused, []string{"body.data type", "body.inner type"}},
		"null for a list":             {`{"name":"lamp","tags":null}`, refused, []string{"body.tags type"}},
		"null in a list":              {`{"name":"lamp","tags":["a",null],"loose":[null]}`, refused, []string{"body.loose[0] type", "body.tags[1] type"}},
		"null instead of a body":      {`null`, refused, []string{"body type"}},
		"list instead of a body":      {`[]`, refused, []string{"body type"}},
		"text instead of a body":      {`"x"`, refused, []string{"body type"}},
		"object among unique items":   {`{"name":"lamp","tags":[{}]}`, refused, []string{"body.tags[0] type"}},
		"list among unique items":     {`{"name":"lamp","tags":["a",["a"]]}`, refused, []string{"body.tags[1] type"}},
		"repeated unique items":       {`{"name":"lamp","tags":["a","a"]}`, refused, []string{"body.tags duplicate"}},
		"unknown member":              {`{"name":"lamp","x":1}`, refused, []string{"body.x unknown_field"}},
		"too long":                    {`{"name":"a name that is longer than allowed"}`, refused, []string{"body.name too_long"}},
		"not of the enum":             {`{"name":"lamp","kind":"blue"}`, refused, []string{"body.kind not_allowed"}},
		"number for text":             {`{"name":12345}`, refused, []string{"body.name type"}},
		"text for a number":           {`{"name":"lamp","count":"1"}`, refused, []string{"body.count type"}},
		"fraction for an integer":     {`{"name":"lamp","count":1.5}`, refused, []string{"body.count type"}},
		"exponent for an integer":     {`{"name":"lamp","count":1e2}`, refused, []string{"body.count type"}},
		"integer of 65 bits":          {`{"name":"lamp","count":18446744073709551616}`, refused, []string{"body.count type"}},
		"number beyond a double":      {`{"name":"lamp","decimal":1e999}`, refused, []string{"body.decimal type"}},
		"number beyond its maximum":   {`{"name":"lamp","decimal":10.5}`, refused, []string{"body.decimal too_large"}},
		"UUID in braces":              {`{"name":"lamp","owner":"{` + ada + `}"}`, refused, []string{"body.owner format"}},
		"UUID as a URN":               {`{"name":"lamp","owner":"urn:uuid:` + ada + `"}`, refused, []string{"body.owner format"}},
		"UUID without hyphens":        {`{"name":"lamp","owner":"` + strings.ReplaceAll(ada, "-", "") + `"}`, refused, []string{"body.owner format"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, code, answer, _ := b.do(t, "PUT", "/api/v1/riches/"+ada, "", "application/json", c.body)
			require.Equal(t, c.code, code, answer)
			var p errs.Problem
			require.NoError(t, json.Unmarshal([]byte(answer), &p))
			require.Equal(t, c.fields, fieldsOf(p.Errors), answer)

			code, fields, natsAnswer := b.overNATS(t, conn, richOp.Subject, `{"ID":"`+ada+`","Body":`+c.body+`}`)
			require.Equal(t, c.code, code)
			require.Equal(t, c.fields, fields)
			if code == "" {
				var over struct{ Body json.RawMessage }
				require.NoError(t, json.Unmarshal([]byte(natsAnswer), &over))
				require.JSONEq(t, answer, string(over.Body))
			}
		})
	}
}

// TestNATSValidatesParameters is the half of a request that HTTP does not send as JSON.
func TestNATSValidatesParameters(t *testing.T) {
	t.Parallel()
	b := setup(t, echo)
	conn := b.natsURL.Connect(t)
	const body = `"Body":{"name":"lamp"}`
	for name, c := range map[string]struct {
		subject, request, code string
		fields                 []string
	}{
		"good":                     {richOp.Subject, `{"ID":"` + ada + `","Page":2,` + body + `}`, "", nil},
		"zero is left out":         {richOp.Subject, `{"ID":"` + ada + `","Page":0,` + body + `}`, "", nil},
		"null is left out":         {richOp.Subject, `{"ID":"` + ada + `","Page":null,` + body + `}`, "", nil},
		"no id":                    {richOp.Subject, `{` + body + `}`, "validation_failed", []string{"path.id required"}},
		"empty id":                 {richOp.Subject, `{"ID":"",` + body + `}`, "validation_failed", []string{"path.id required"}},
		"id that is none":          {richOp.Subject, `{"ID":"7",` + body + `}`, "validation_failed", []string{"path.id format"}},
		"id of another type":       {richOp.Subject, `{"ID":7,` + body + `}`, "validation_failed", []string{"path.id type"}},
		"id in other case":         {richOp.Subject, `{"id":"` + ada + `",` + body + `}`, "validation_failed", []string{"id unknown_field", "path.id required"}},
		"page out of bounds":       {richOp.Subject, `{"ID":"` + ada + `","Page":-1,` + body + `}`, "validation_failed", []string{"query.page too_small"}},
		"no body":                  {richOp.Subject, `{"ID":"` + ada + `"}`, "validation_failed", []string{"body required"}},
		"member that is none":      {richOp.Subject, `{"ID":"` + ada + `","Nope":1,` + body + `}`, "validation_failed", []string{"Nope unknown_field"}},
		"id twice":                 {richOp.Subject, `{"ID":"` + ada + `","ID":"` + bob + `",` + body + `}`, "malformed_body", nil},
		"byte order mark":          {richOp.Subject, "\ufeff{}", "malformed_body", nil},
		"nothing":                  {richOp.Subject, "", "malformed_body", nil},
		"internal, good":           {innerOp.Subject, `{"email":"a@b.example","roles":["user"]}`, "", nil},
		"internal, missing":        {innerOp.Subject, `{}`, "validation_failed", []string{"body.email required"}},
		"internal, too long":       {innerOp.Subject, `{"email":"` + strings.Repeat("a", 31) + `"}`, "validation_failed", []string{"body.email too_long"}},
		"internal, null":           {innerOp.Subject, `{"email":"a@b.example","roles":null}`, "validation_failed", []string{"body.roles type"}},
		"internal, objects":        {innerOp.Subject, `{"email":"a@b.example","roles":[{}]}`, "validation_failed", []string{"body.roles[0] type"}},
		"internal, unknown member": {innerOp.Subject, `{"email":"a@b.example","Email":"x"}`, "validation_failed", []string{"body.Email unknown_field"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			code, fields, answer := b.overNATS(t, conn, c.subject, c.request)
			require.Equal(t, c.code, code)
			require.Equal(t, c.fields, fields)
			if strings.Contains(name, "left out") {
				require.Contains(t, answer, `"page":7`, "the default is filled in")
				require.Contains(t, answer, `"kind":"small"`)
			}
		})
	}
}

// TestTimesAreReadStrictly sends each time as a parameter and as a member, over HTTP and over NATS: one rule for all.
func TestTimesAreReadStrictly(t *testing.T) {
	t.Parallel()
	b := setup(t, echo)
	conn := b.natsURL.Connect(t)
	for value, good := range map[string]bool{
		"2026-01-01T00:00:00Z":             true,
		"2026-01-01T00:00:00.123456789Z":   true,
		"2026-01-01T00:00:00+23:59":        true,
		"9999-12-31T23:59:59Z":             true,
		"0001-01-01T00:00:00Z":             false, // the zero time: a filter that is lost
		"2026-01-01T00:00:00+24:00":        false,
		"2026-01-01T00:00:00-24:00":        false,
		"2026-01-01T00:00:00+23:60":        false,
		"2026-01-01T0:00:00Z":              false,
		"2026-01-01T00:00:00,5Z":           false,
		"2026-01-01T00:00:60Z":             false,
		"2026-01-01t00:00:00z":             false,
		"2026-01-01 00:00:00Z":             false,
		"2026-01-01T00:00:00":              false,
		"0000-01-01T00:00:00+23:59":        false,
		"9999-12-31T23:59:59-00:01":        false,
		"12026-01-01T00:00:00Z":            false,
		"2026-02-30T00:00:00Z":             false,
		"2026-01-01T00:00:00Z ":            false,
		"2026-01-01T00:00:00\u200bZ":       false,
		"Thu, 01 Jan 2026 00:00:00 GMT":    false,
		strings.Repeat("2026-01-01T", 600): false,
	} {
		outcome := func(field string) (string, []string) {
			if good {
				return "", nil
			}
			return "validation_failed", []string{field + " format"}
		}
		path := "/api/v1/riches/" + ada
		_, code, answer, _ := b.do(t, "PUT", path+"?since="+url.QueryEscape(value), "", "application/json", `{"name":"lamp"}`)
		var p errs.Problem
		require.NoError(t, json.Unmarshal([]byte(answer), &p))
		wantCode, wantFields := outcome("query.since")
		require.Equal(t, wantCode, code, "%.40q %s", value, answer)
		require.Equal(t, wantFields, fieldsOf(p.Errors), "%.40q %s", value, answer)

		body, err := json.Marshal(map[string]string{"name": "lamp", "when": value})
		require.NoError(t, err)
		_, code, answer, _ = b.do(t, "PUT", path, "", "application/json", string(body))
		p = errs.Problem{}
		require.NoError(t, json.Unmarshal([]byte(answer), &p))
		wantCode, wantFields = outcome("body.when")
		require.Equal(t, wantCode, code, "%.40q %s", value, answer)
		require.Equal(t, wantFields, fieldsOf(p.Errors), "%.40q %s", value, answer)

		code, fields, _ := b.overNATS(t, conn, richOp.Subject, `{"ID":"`+ada+`","Body":`+string(body)+`}`)
		require.Equal(t, wantCode, code, "%.40q", value)
		require.Equal(t, wantFields, fields, "%.40q", value)

		if value == "0001-01-01T00:00:00Z" { // over NATS the caller's client writes it where none was given
			continue
		}
		raw, err := json.Marshal(map[string]any{"ID": ada, "Since": value, "Body": map[string]string{"name": "lamp"}})
		require.NoError(t, err)
		wantCode, wantFields = outcome("query.since")
		code, fields, _ = b.overNATS(t, conn, richOp.Subject, string(raw))
		require.Equal(t, wantCode, code, "%.40q", value)
		require.Equal(t, wantFields, fields, "%.40q", value)
	}
}

func TestNumbersInFreeDataComeBackAsTheyWere(t *testing.T) {
	t.Parallel()
	b := setup(t, echo)
	_, _, answer, _ := b.do(t, "PUT", "/api/v1/riches/"+ada, "", "application/json", `{"name":"lamp","data":{"n":12345678901234567890,"m":1.50}}`)
	require.Contains(t, answer, `"data":{"m":1.50,"n":12345678901234567890}`)
}

func TestClientSendsWhatTheServerTakes(t *testing.T) {
	t.Parallel()
	b := setup(t, echo)
	in := &richIn{ID: ada}
	in.Body.Name = "lamp"
	out, err := op.NATSClient(b.caller, richOp)(t.Context(), in)
	require.NoError(t, err)
	require.Equal(t, 7, out.Body.Page)
	_, err = op.NATSClient(b.caller, innerOp)(t.Context(), &innerIn{Email: "a@b.example", Roles: []string{}})
	require.NoError(t, err)
}
