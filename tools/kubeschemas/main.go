// Command kubeschemas makes JSON schemas of Kubernetes objects for kubeconform, so that manifests are validated without a network.
//
//	kubeschemas -out dir source.json source.yaml …
//
// A source is the OpenAPI document of Kubernetes (api/openapi-spec/swagger.json), of which the kinds in the list below are taken with all
// they refer to, or a CustomResourceDefinition. Fields that there are not are refused.
package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// kinds are those that the chart makes, by definition.
var kinds = []string{
	"io.k8s.api.apps.v1.Deployment", "io.k8s.api.apps.v1.StatefulSet", "io.k8s.api.autoscaling.v2.HorizontalPodAutoscaler",
	"io.k8s.api.core.v1.ConfigMap", "io.k8s.api.core.v1.Pod", "io.k8s.api.core.v1.Secret", "io.k8s.api.core.v1.Service",
	"io.k8s.api.core.v1.ServiceAccount", "io.k8s.api.networking.v1.Ingress", "io.k8s.api.networking.v1.NetworkPolicy",
	"io.k8s.api.policy.v1.PodDisruptionBudget",
}

func main() {
	if err := run(os.Args[1:], os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "kubeschemas:", err)
		os.Exit(1)
	}
}

func run(args []string, stderr io.Writer) error {
	flags := flag.NewFlagSet("kubeschemas", flag.ContinueOnError)
	flags.SetOutput(stderr)
	out := flags.String("out", "", "folder to write to")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *out == "" || flags.NArg() == 0 {
		return errors.New("give -out and at least one source")
	}
	schemas := map[string]any{}
	for _, source := range flags.Args() {
		raw, err := os.ReadFile(source)
		if err != nil {
			return fmt.Errorf("read a source: %w", err)
		}
		add := fromDefinition
		if strings.HasSuffix(source, ".json") {
			add = fromOpenAPI
		}
		if err := add(raw, schemas); err != nil {
			return fmt.Errorf("%s: %w", filepath.Base(source), err)
		}
	}
	for name, schema := range schemas {
		raw, err := json.Marshal(schema)
		if err != nil {
			return fmt.Errorf("write a schema: %w", err)
		}
		if err := os.WriteFile(filepath.Join(*out, name), append(raw, '\n'), 0o644); err != nil { //nolint:gosec // part of the repository
			return fmt.Errorf("write a schema: %w", err)
		}
	}
	return nil
}
