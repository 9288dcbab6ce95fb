package chart_test

import (
	"errors"
	"os/exec"
	"testing"

	"github.com/stretchr/testify/require"
)

// The values that k8s/README.md and docs/install.md send people to are values that the chart takes.
func TestExamples(t *testing.T) {
	t.Parallel()
	for name, files := range map[string][]string{
		"kind":          {"kind.yaml"},
		"production":    {"production.yaml"},
		"cloudnativepg": {"production.yaml", "cloudnativepg.yaml"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			arguments := []string{"template", "atrium", "charts/atrium", "--namespace", "atrium", "--api-versions", "postgresql.cnpg.io/v1"}
			for _, file := range files {
				arguments = append(arguments, "--values", "k8s/examples/"+file)
			}
			helm := exec.CommandContext(t.Context(), "bin/helm", arguments...)
			helm.Dir = "../.."
			output, err := helm.Output()
			if failed, ok := errors.AsType[*exec.ExitError](err); ok {
				require.Fail(t, "helm template", string(failed.Stderr))
			}
			require.NoError(t, err, "run `make bin/helm`")
			require.NotEmpty(t, objects(t, output))
		})
	}
}
