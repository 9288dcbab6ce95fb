package main

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// value is one key of values.yaml.
type value struct {
	name     string
	section  string
	doc      string
	notes    map[string]string // the + lines
	node     *yaml.Node        // the default
	children []*value          // of an object whose keys are known
}

var known = []string{"section", "type", "nullable", "enum", "pattern", "minimum", "items", "values", "like"}

// parse reads values.yaml and returns its top-level keys.
func parse(raw []byte) ([]*value, error) {
	var document yaml.Node
	if err := yaml.Unmarshal(raw, &document); err != nil {
		return nil, fmt.Errorf("read values: %w", err)
	}
	if len(document.Content) != 1 || document.Content[0].Kind != yaml.MappingNode {
		return nil, fmt.Errorf("read values: not a map")
	}
	p := parser{lines: bytes.Split(raw, []byte("\n"))}
	top := p.mapping("", document.Content[0])
	for _, v := range top {
		v.section = p.section(v)
		if like := v.notes["like"]; like != "" {
			i := slices.IndexFunc(top, func(o *value) bool { return o.name == like })
			if i < 0 {
				return nil, fmt.Errorf("%s is like %s, which there is not", v.name, like)
			}
			inherit(v, top[i])
		}
	}
	for _, v := range top {
		p.check(v.name, v)
	}
	if len(p.problems) > 0 {
		return nil, fmt.Errorf("values.yaml:\n  %s", strings.Join(p.problems, "\n  "))
	}
	return top, nil
}

type parser struct {
	lines    [][]byte
	problems []string
}

// mapping reads the keys of a map.
func (p *parser) mapping(path string, node *yaml.Node) []*value {
	var out []*value
	for i := 0; i+1 < len(node.Content); i += 2 {
		key, def := node.Content[i], node.Content[i+1]
		v := &value{name: key.Value, node: def}
		v.doc, v.notes = p.comment(path+key.Value, key.Line)
		if def.Kind == yaml.MappingNode && v.notes["type"] == "" && v.notes["values"] == "" {
			v.children = p.mapping(path+key.Value+".", def)
		}
		out = append(out, v)
	}
	return out
}

// comment reads the lines right above a line: sentences, and notes that begin with +.
func (p *parser) comment(path string, line int) (doc string, notes map[string]string) {
	notes = map[string]string{}
	var sentences []string
	for i := line - 2; i >= 0; i-- { // lines are counted from 1
		text, ok := strings.CutPrefix(strings.TrimSpace(string(p.lines[i])), "#")
		if !ok {
			break
		}
		text = strings.TrimSpace(text)
		note, ok := strings.CutPrefix(text, "+")
		if !ok {
			sentences = append(sentences, text)
			continue
		}
		name, content, _ := strings.Cut(note, "=")
		if !slices.Contains(known, name) {
			p.problems = append(p.problems, fmt.Sprintf("%s: +%s is not known", path, name))
		}
		notes[name] = content
	}
	slices.Reverse(sentences)
	return strings.Join(sentences, " "), notes
}

// section is the last section that begins above a top-level key.
func (p *parser) section(v *value) string {
	for i := v.node.Line - 1; i >= 0; i-- {
		if title, ok := strings.CutPrefix(string(p.lines[i]), "# +section="); ok {
			return title
		}
	}
	return ""
}

// inherit gives v what is said about the same keys of other.
func inherit(v, other *value) {
	if v.doc == "" {
		v.doc = other.doc
	}
	for name, content := range other.notes {
		if _, own := v.notes[name]; !own && name != "section" {
			v.notes[name] = content
		}
	}
	if v.notes["type"] != "" || v.notes["values"] != "" {
		v.children = nil
	}
	for _, child := range v.children {
		for _, o := range other.children {
			if o.name == child.name {
				inherit(child, o)
			}
		}
	}
}

// check finds values that nothing is said about, or whose type cannot be known.
func (p *parser) check(path string, v *value) {
	for _, child := range v.children {
		p.check(path+"."+child.name, child)
	}
	if len(v.children) > 0 {
		return
	}
	if v.doc == "" {
		p.problems = append(p.problems, path+" has no comment")
	}
	switch {
	case v.node.Kind == yaml.MappingNode && v.notes["type"] != "object" && v.notes["values"] == "":
		p.problems = append(p.problems, path+" is an empty map; say +type=object or +values=string")
	case v.node.Kind == yaml.SequenceNode && v.notes["items"] == "":
		p.problems = append(p.problems, path+" is a list; say +items=string, integer or object")
	case v.node.Tag == "!!null" && v.notes["type"] == "":
		p.problems = append(p.problems, path+" is null; say +type=")
	}
}
