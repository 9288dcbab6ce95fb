package chart_test

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// dashboard is what the tests look at.
type dashboard struct {
	UID           string `json:"uid"`
	Title         string `json:"title"`
	SchemaVersion int    `json:"schemaVersion"`
	Panels        []struct {
		ID         int    `json:"id"`
		Title      string `json:"title"`
		Datasource struct {
			UID string `json:"uid"`
		} `json:"datasource"`
		Targets []struct {
			Expr string `json:"expr"`
		} `json:"targets"`
	} `json:"panels"`
	Templating struct {
		List []struct {
			Name string `json:"name"`
		} `json:"list"`
	} `json:"templating"`
}

func dashboards(t *testing.T) map[string]dashboard {
	t.Helper()
	paths, err := filepath.Glob(chartDir + "/dashboards/*.json")
	require.NoError(t, err)
	require.NotEmpty(t, paths)
	out := map[string]dashboard{}
	for _, path := range paths {
		var d dashboard
		require.NoError(t, json.Unmarshal(file(t, path), &d), path)
		out[strings.TrimSuffix(filepath.Base(path), ".json")] = d
	}
	return out
}

func TestDashboards(t *testing.T) {
	t.Parallel()
	for name, d := range dashboards(t) {
		require.Equal(t, "atrium-"+name, d.UID)
		require.GreaterOrEqual(t, d.SchemaVersion, 41)
		var variables []string
		for _, v := range d.Templating.List {
			variables = append(variables, v.Name)
		}
		require.Equal(t, []string{"datasource", "namespace", "release"}, variables, name)
		ids := map[int]bool{}
		for _, p := range d.Panels {
			require.False(t, ids[p.ID], "%s: panel %d is there twice", name, p.ID)
			ids[p.ID] = true
			require.Equal(t, "${datasource}", p.Datasource.UID, p.Title)
			require.NotEmpty(t, p.Targets, p.Title)
			for _, target := range p.Targets {
				require.NotNil(t, parse(t, target.Expr))
				require.Contains(t, target.Expr, `namespace=~"$namespace",release=~"$release"`, p.Title)
			}
		}
	}
}
