package chart_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"
)

// TestGolden holds what each value set renders: a change of the chart is read as a change of these files.
func TestGolden(t *testing.T) {
	t.Parallel()
	for name := range valueSets(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := canonical(t, render(t, name))
			file := filepath.Join("testdata", "golden", name+".yaml")
			if *update {
				require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o755))
				require.NoError(t, os.WriteFile(file, []byte(got), 0o644))
			}
			want, err := os.ReadFile(file)
			require.NoError(t, err)
			require.Equal(t, string(want), got, "go test ./test/chart -run TestGolden -update writes it again")
		})
	}
}

// canonical is the manifests with sorted keys, without what is random, and without dashboards, which are files of the chart.
func canonical(t *testing.T, rendered string) string {
	t.Helper()
	var out bytes.Buffer
	encoder := yaml.NewEncoder(&out)
	encoder.SetIndent(2)
	for _, o := range objects(t, []byte(rendered)) {
		switch o["kind"] {
		case "Secret":
			blank(o["data"], "(made once, and kept)")
		case "ConfigMap":
			for key := range o["data"].(map[string]any) { //nolint:forcetypeassert // a ConfigMap
				if filepath.Ext(key) == ".json" {
					blank(o["data"], "(a file of the chart)")
				}
			}
		}
		require.NoError(t, encoder.Encode(o))
	}
	require.NoError(t, encoder.Close())
	return out.String()
}

func blank(data any, with string) {
	m, _ := data.(map[string]any)
	for key := range m {
		m[key] = with
	}
}
