package main

import (
	"io"
	"os"
	"path/filepath"
	"testing"
	"testing/fstest"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/require"
)

const readme = "# A chart\n" + tableBegin + "old\n" + tableEnd + "The end.\n"

const example = `# About the file.

# +section=First

# How many.
# +minimum=1
count: 2
mode:
  # What | kind.
  # +enum=a,b
  kind: a
  # Passed on.
  # +type=object
  # +section=Second
  more: {limits: {cpu: 1}}
# +section=Second

one:
  # Pods.
  # +type=integer
  # +nullable
  pods: null
  # Texts.
  # +values=string
  texts: {}
# +like=one
two:
  pods: null
  texts: {}
  # Names.
  # +items=string
  names: [x]
`

func TestGenerate(t *testing.T) {
	t.Parallel()
	files, err := generate(fstest.MapFS{"values.yaml": {Data: []byte(example)}, "README.md": {Data: []byte(readme)}})
	require.NoError(t, err)
	require.Equal(t, "# A chart\n"+tableBegin+`
### First

| value | default | what it is |
|---|---|---|
| `+"`count` | `2`"+` | How many. |
| `+"`mode.kind` | `a`"+` | What \| kind. One of a, b. |

### Second

| value | default | what it is |
|---|---|---|
| `+"`mode.more` | `{\"limits\":{\"cpu\":1}}`"+` | Passed on. |
| `+"`one.pods`"+` |  | Pods. |
| `+"`one.texts`"+` |  | Texts. |
| `+"`two.*` | | As `one.*`"+`, and: |
| `+"`two.names` | `[\"x\"]`"+` | Names. |

`+tableEnd+"The end.\n", string(files["README.md"]))

	schema := compile(t, files["values.schema.json"])
	for _, good := range []map[string]any{
		{},
		{"count": 1},
		{"mode": map[string]any{"kind": "b", "more": map[string]any{"any": 1}}},
		{"one": map[string]any{"pods": nil}},
		{"two": map[string]any{"pods": 3, "texts": map[string]any{"a": "b", "n": 1}, "names": []any{"y"}}},
		{"global": map[string]any{"x": 1}},
	} {
		require.NoError(t, schema.Validate(good), "%v", good)
	}
	for _, bad := range []map[string]any{
		{"cuont": 1},
		{"count": 0},
		{"count": "2"},
		{"mode": map[string]any{"kind": "c"}},
		{"one": map[string]any{"pods": "x"}},
		{"two": map[string]any{"name": 1}},
		{"two": map[string]any{"texts": map[string]any{"a": []any{}}}},
		{"two": map[string]any{"names": []any{1}}},
	} {
		require.Error(t, schema.Validate(bad), "%v", bad)
	}
}

func TestWhatIsRefused(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"a: 1\n":                         "a has no comment",
		"# A.\n# +wrong\na: 1\n":         "+wrong is not known",
		"# A.\na: {}\n":                  "a is an empty map",
		"# A.\na: []\n":                  "a is a list",
		"# A.\na: null\n":                "a is null",
		"# A.\n# +like=b\na: {c: 1}\n":   "which there is not",
		"b:\n  c:\n    d: 1\n":           "b.c.d has no comment",
		"- a\n":                          "not a map",
		"# A.\n\n# +section=x\n\na: 1\n": "a has no comment",
	} {
		_, err := parse([]byte(text))
		require.ErrorContains(t, err, want, text)
	}
}

func TestCheckWritesNothing(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for name, content := range map[string]string{"values.yaml": example, "README.md": readme} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600))
	}
	require.ErrorContains(t, run([]string{"-check", dir}, io.Discard), "is stale")
	require.NoFileExists(t, filepath.Join(dir, "values.schema.json"))
	require.NoError(t, run([]string{dir}, io.Discard))
	require.NoError(t, run([]string{"-check", dir}, io.Discard))
	require.Error(t, run([]string{dir, dir}, io.Discard))
}

func compile(t *testing.T, raw []byte) *jsonschema.Schema {
	t.Helper()
	file := filepath.Join(t.TempDir(), "schema.json")
	require.NoError(t, os.WriteFile(file, raw, 0o600))
	schema, err := jsonschema.NewCompiler().Compile(file)
	require.NoError(t, err)
	return schema
}
