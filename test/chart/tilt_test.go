package chart_test

import (
	"bytes"
	"errors"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"github.com/atrium-mesh/atrium/test/chart/tilttest"
)

const imagePrefix = "ghcr.io/atrium-mesh/atrium/"

// tilt is the evaluated Tiltfile beside the chart that it rendered.
type tilt struct {
	*tilttest.Result
	root     string
	rendered []map[string]any
}

// evaluate runs the Tiltfile with settings. Helm is the real one, but asks no cluster.
func evaluate(t *testing.T, settings map[string]any) (tilt, error) {
	t.Helper()
	root, err := filepath.Abs("../..")
	require.NoError(t, err)
	found := tilt{root: root}
	found.Result, err = tilttest.Evaluate(tilttest.Tiltfile{
		Path: filepath.Join(root, "Tiltfile"), Settings: settings,
		Local: func(command []string) (string, error) {
			if command[0] == "make" {
				return "", nil
			}
			require.Equal(t, filepath.Join(root, "bin/helm"), command[0])
			require.FileExists(t, command[0], "run `make bin/helm`")
			offline := slices.DeleteFunc(slices.Clone(command), func(argument string) bool { return argument == "--dry-run=server" })
			require.Len(t, offline, len(command)-1, "the secrets of a running mesh are kept")
			output, err := exec.CommandContext(t.Context(), offline[0], offline[1:]...).Output()
			if failed, ok := errors.AsType[*exec.ExitError](err); ok {
				require.Fail(t, "helm template", string(failed.Stderr))
			}
			found.rendered = objects(t, output)
			return string(output), err
		},
	})
	return found, err
}

func objects(t *testing.T, stream []byte) []map[string]any {
	t.Helper()
	var all []map[string]any
	for decoder := yaml.NewDecoder(bytes.NewReader(stream)); ; {
		var object map[string]any
		err := decoder.Decode(&object)
		if errors.Is(err, io.EOF) {
			return all
		}
		require.NoError(t, err)
		if object != nil {
			all = append(all, object)
		}
	}
}

// workloads returns the names of the rendered objects that have pods.
func (f tilt) workloads() []string {
	var names []string
	for _, object := range f.rendered {
		if kind := object["kind"]; kind == "Deployment" || kind == "StatefulSet" {
			names = append(names, object["metadata"].(map[string]any)["name"].(string))
		}
	}
	return names
}

func TestTiltfile(t *testing.T) {
	t.Parallel()
	found, err := evaluate(t, nil)
	require.NoError(t, err)

	t.Run("every_workload_is_a_resource_with_a_group", func(t *testing.T) {
		t.Parallel()
		var shown, expected []string
		for _, c := range found.Of("k8s_resource") {
			require.Len(t, c.Strings("labels"), 1, c.String("workload"))
			if name := c.String("workload"); name != "" {
				shown = append(shown, name)
				require.Equal(t, []string{"settings"}, c.Strings("resource_deps"), name)
			}
		}
		for _, workload := range found.workloads() {
			name, err := found.ResourceName(workload)
			require.NoError(t, err)
			expected = append(expected, name)
		}
		require.NotEmpty(t, expected)
		require.ElementsMatch(t, expected, shown)
	})

	t.Run("every_image_of_the_mesh_is_built_here", func(t *testing.T) {
		t.Parallel()
		used := map[string]bool{}
		rendered, err := yaml.Marshal(found.rendered)
		require.NoError(t, err)
		for _, match := range regexp.MustCompile(regexp.QuoteMeta(imagePrefix)+`[a-z]+`).FindAllString(string(rendered), -1) {
			used[match] = true
		}
		var built []string
		for _, c := range found.Of("custom_build") {
			built = append(built, c.String("ref"))
			require.Equal(t, []any{true, true}, []any{c.Arguments["skips_local_docker"], c.Arguments["disable_push"]}, "ko pushes by itself")
		}
		require.ElementsMatch(t, slices.Collect(maps.Keys(used)), built)
	})

	t.Run("objects_without_pods_are_in_one_resource", func(t *testing.T) {
		t.Parallel()
		rendered := map[string]int{}
		for _, object := range found.rendered {
			rendered[object["metadata"].(map[string]any)["name"].(string)+":"+strings.ToLower(object["kind"].(string))]++
		}
		var grouped []string
		for _, c := range found.Of("k8s_resource") {
			grouped = append(grouped, c.Strings("objects")...)
		}
		require.Contains(t, grouped, "atrium-auth:secret")
		for _, selector := range grouped {
			if selector != "atrium-dev:namespace" && selector != "atrium-dev-admin:secret" {
				require.Equal(t, 1, rendered[selector], selector)
			}
		}
	})

	t.Run("ports", func(t *testing.T) {
		t.Parallel()
		forwarded := map[int64]string{}
		for _, c := range found.Of("k8s_resource") {
			ports, _ := c.Arguments["port_forwards"].([]any)
			for _, port := range ports {
				local := port.(map[string]any)["local_port"].(int64)
				require.NotContains(t, forwarded, local)
				forwarded[local] = c.String("workload")
			}
		}
		require.Equal(t, map[int64]string{
			8080: "gateway", 9091: "gateway", 9092: "auth", 9093: "users", 9094: "notifications", 8025: "inbox",
			15432: "postgres", 14222: "nats", 18222: "nats",
		}, forwarded)
	})

	t.Run("commands_exist", func(t *testing.T) {
		t.Parallel()
		makefile, err := os.ReadFile(filepath.Join(found.root, "Makefile"))
		require.NoError(t, err)
		var commands [][]string
		for _, c := range found.Of("local_resource") {
			require.Equal(t, "manual", c.String("trigger_mode"), "nothing runs unasked")
			require.Equal(t, false, c.Arguments["auto_init"])
			commands = append(commands, c.Strings("cmd"))
		}
		for _, c := range append(found.Of("v1alpha1.cmd"), found.Of("custom_build")...) {
			command := append(c.Strings("args"), c.Strings("command")...)
			commands = append(commands, command)
		}
		for _, command := range commands {
			switch command[0] {
			case "make":
				require.Regexp(t, `(?m)^`+regexp.QuoteMeta(command[1])+`:`, string(makefile))
			case "go":
			default:
				info, err := os.Stat(command[0])
				require.NoError(t, err)
				require.NotZero(t, info.Mode()&0o111, command[0])
			}
		}
	})

	t.Run("every_button_starts_its_command", func(t *testing.T) {
		t.Parallel()
		var buttons, starters []string
		for _, c := range found.Of("v1alpha1.ui_button") {
			buttons = append(buttons, c.String("name"))
		}
		for _, c := range found.Of("v1alpha1.cmd") {
			for _, button := range c.Arguments["start_on"].(map[string]any)["ui_buttons"].([]any) {
				starters = append(starters, button.(string))
			}
		}
		require.Subset(t, buttons, []string{"seed", "inbox", "test-auth"})
		require.ElementsMatch(t, buttons, starters)
	})
}

// An image is built again when a file changes that it is linked with, and not when another service changes.
func TestTiltfileWatchesWhatIsLinked(t *testing.T) {
	t.Parallel()
	found, err := evaluate(t, nil)
	require.NoError(t, err)
	for _, c := range found.Of("custom_build") {
		name := strings.TrimPrefix(c.String("ref"), imagePrefix)
		if name == "atrium" {
			continue // linked with everything; says why in tilt/images.star
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			linked := linkedFolders(t, found.root, c.Strings("command")[1])
			watched := c.Strings("deps")
			for _, folder := range linked {
				require.True(t, slices.ContainsFunc(watched, func(path string) bool { return isBelow(path, folder) }), "%s is linked and not watched", folder)
				require.False(t, strings.HasSuffix(folder, "test"), "%s is linked and ignored", folder)
			}
			for _, path := range watched {
				info, err := os.Stat(path)
				require.NoError(t, err)
				if info.IsDir() {
					require.True(t, slices.ContainsFunc(linked, func(folder string) bool { return isBelow(path, folder) }), "%s is watched and not linked", path)
				}
			}
		})
	}
}

func isBelow(path, folder string) bool { return folder == path || strings.HasPrefix(folder, path+"/") }

// linkedFolders returns the folders of the workspace that a program is made of.
func linkedFolders(t *testing.T, root, program string) []string {
	t.Helper()
	command := exec.CommandContext(t.Context(), "go", "list", "-deps", "-f", "{{if .Module}}{{if .Module.Main}}{{.Dir}}{{end}}{{end}}", program)
	command.Dir = root
	output, err := command.Output()
	require.NoError(t, err)
	folders := strings.Fields(string(output))
	require.NotEmpty(t, folders)
	return folders
}

func TestTiltfileSettings(t *testing.T) {
	t.Parallel()

	t.Run("only_named_clusters_are_touched", func(t *testing.T) {
		t.Parallel()
		found, err := evaluate(t, nil)
		require.NoError(t, err)
		require.Len(t, found.Of("allow_k8s_contexts"), 1)
		require.Empty(t, found.Of("allow_k8s_contexts")[0].Strings("contexts"))
		require.Empty(t, found.Of("default_registry"))
		found, err = evaluate(t, map[string]any{"allow-context": []string{"local"}})
		require.NoError(t, err)
		require.Equal(t, []string{"local"}, found.Of("allow_k8s_contexts")[0].Strings("contexts"))
	})

	t.Run("registry", func(t *testing.T) {
		t.Parallel()
		found, err := evaluate(t, map[string]any{"registry": "localhost:5001", "registry-in-cluster": "registry:5000"})
		require.NoError(t, err)
		require.Equal(t, map[string]any{"host": "localhost:5001", "host_from_cluster": "registry:5000"}, found.Of("default_registry")[0].Arguments)
	})

	t.Run("replicas_and_namespace", func(t *testing.T) {
		t.Parallel()
		found, err := evaluate(t, map[string]any{"replicas": "3", "namespace": "mine"})
		require.NoError(t, err)
		for _, object := range found.rendered {
			if object["kind"] == "Deployment" && object["metadata"].(map[string]any)["name"] == "atrium-users" {
				require.EqualValues(t, 3, object["spec"].(map[string]any)["replicas"])
				require.Equal(t, "mine", object["metadata"].(map[string]any)["namespace"])
				return
			}
		}
		require.Fail(t, "no Deployment of users")
	})

	t.Run("replicas_must_be_a_number", func(t *testing.T) {
		t.Parallel()
		_, err := evaluate(t, map[string]any{"replicas": "many"})
		require.ErrorContains(t, err, "--replicas must be a number from 1, not many")
	})
}
