package main

import (
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/require"
)

const committed = "../../test/chart/testdata/schemas"

func compile(t *testing.T, file string) *jsonschema.Schema {
	t.Helper()
	schema, err := jsonschema.NewCompiler().Compile(file)
	require.NoError(t, err)
	return schema
}

func TestKubernetes(t *testing.T) {
	t.Parallel()
	schema := compile(t, filepath.Join(committed, "service-v1.json"))
	service := func(port map[string]any) map[string]any {
		return map[string]any{"apiVersion": "v1", "kind": "Service", "spec": map[string]any{"ports": []any{port}}}
	}
	require.NoError(t, schema.Validate(service(map[string]any{"port": 80, "targetPort": "http"})))
	require.NoError(t, schema.Validate(service(map[string]any{"port": 80, "targetPort": 8080})))
	require.Error(t, schema.Validate(service(map[string]any{"port": 80, "targetport": 8080})), "a field that there is not")
	require.Error(t, schema.Validate(service(map[string]any{"port": "eighty"})))
	require.Error(t, schema.Validate(service(map[string]any{})), "a field that is required")
}

func TestCustomResources(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	source := filepath.Join(dir, "crd.yaml")
	require.NoError(t, os.WriteFile(source, []byte(`
kind: CustomResourceDefinition
spec:
  group: example.com
  names: {kind: Thing}
  versions:
    - name: v1
      served: true
      schema:
        openAPIV3Schema:
          type: object
          properties:
            kind: {type: string}
            metadata: {type: object}
            spec:
              type: object
              properties:
                size: {x-kubernetes-int-or-string: true, anyOf: [{type: integer}, {type: string}]}
                free: {type: object, x-kubernetes-preserve-unknown-fields: true, properties: {a: {type: string}}}
    - name: v1alpha1
      served: false
`), 0o600))
	require.NoError(t, run([]string{"-out", dir, source}, io.Discard))
	require.NoFileExists(t, filepath.Join(dir, "thing-example-v1alpha1.json"))
	schema := compile(t, filepath.Join(dir, "thing-example-v1.json"))
	thing := func(spec map[string]any) map[string]any {
		return map[string]any{"kind": "Thing", "metadata": map[string]any{"name": "a"}, "spec": spec}
	}
	require.NoError(t, schema.Validate(thing(map[string]any{"size": 1, "free": map[string]any{"a": "b", "c": 1}})))
	require.NoError(t, schema.Validate(thing(map[string]any{"size": "1"})))
	require.Error(t, schema.Validate(thing(map[string]any{"colour": "red"})))
}

func TestWhatIsRefused(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	source := filepath.Join(dir, "other.yaml")
	require.NoError(t, os.WriteFile(source, []byte("kind: Service\n"), 0o600))
	require.ErrorContains(t, run([]string{"-out", dir, source}, io.Discard), "not a CustomResourceDefinition")
	require.Error(t, run([]string{"-out", dir}, io.Discard))
	require.Error(t, run([]string{"-out", dir, filepath.Join(dir, "nothing.yaml")}, io.Discard))
	empty := filepath.Join(dir, "empty.json")
	require.NoError(t, os.WriteFile(empty, []byte("{}"), 0o600))
	require.ErrorContains(t, run([]string{"-out", dir, empty}, io.Discard), "there is no definition")
}
