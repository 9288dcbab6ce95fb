package main

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// values is a values.yaml whose lines stay as they are, but for the values that are set.
type values struct {
	lines [][]byte
	root  *yaml.Node
}

func parse(raw []byte) (*values, error) {
	var document yaml.Node
	if err := yaml.Unmarshal(raw, &document); err != nil {
		return nil, fmt.Errorf("read the values: %w", err)
	}
	if len(document.Content) != 1 {
		return nil, fmt.Errorf("read the values: there are none")
	}
	return &values{lines: bytes.Split(raw, []byte("\n")), root: document.Content[0]}, nil
}

func (v *values) bytes() []byte { return bytes.Join(v.lines, []byte("\n")) }

// set writes a value where the old one was.
func (v *values) set(at *yaml.Node, text string) {
	line := v.lines[at.Line-1]
	v.lines[at.Line-1] = append(bytes.Clone(line[:at.Column-1]), text...)
}

// setDigests wants exactly the images that the chart has: one that is left out would be pulled by its tag.
func (v *values) setDigests(digests map[string]string) error {
	known := v.own()
	given := slices.Sorted(maps.Keys(digests))
	if !slices.Equal(known, given) {
		return fmt.Errorf("the chart has the images %s; -digest names %s", strings.Join(known, ", "), strings.Join(given, ", "))
	}
	node := child(child(v.root, "image"), "digests")
	for image, digest := range digests {
		v.set(child(node, image), digest)
	}
	return nil
}

// own are the names of the chart's own images.
func (v *values) own() []string {
	var names []string
	if node := child(child(v.root, "image"), "digests"); node != nil {
		for i := 0; i+1 < len(node.Content); i += 2 {
			names = append(names, node.Content[i].Value)
		}
	}
	slices.Sort(names)
	return names
}

// images are the values called image that name one of others.
func (v *values) images() []*yaml.Node {
	var found []*yaml.Node
	var walk func(node *yaml.Node)
	walk = func(node *yaml.Node) {
		for i := 0; i+1 < len(node.Content); i += 2 {
			key, value := node.Content[i], node.Content[i+1]
			switch {
			case value.Kind == yaml.MappingNode:
				walk(value)
			case key.Value == "image" && value.Value != "":
				found = append(found, value)
			}
		}
	}
	walk(v.root)
	return found
}

func child(node *yaml.Node, key string) *yaml.Node {
	if node == nil || node.Kind != yaml.MappingNode {
		return nil
	}
	for i := 0; i+1 < len(node.Content); i += 2 {
		if node.Content[i].Value == key {
			return node.Content[i+1]
		}
	}
	return nil
}
