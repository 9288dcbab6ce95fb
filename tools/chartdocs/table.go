package main

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"strings"

	"go.yaml.in/yaml/v3"
)

// sections are the rows of each section, in the order in which sections first appear.
type sections struct {
	titles []string
	rows   map[string]*bytes.Buffer
}

func (s *sections) of(title string) *bytes.Buffer {
	if s.rows[title] == nil {
		s.titles = append(s.titles, title)
		s.rows[title] = &bytes.Buffer{}
	}
	return s.rows[title]
}

// table is the values as Markdown, a table for each section.
func table(top []*value) []byte {
	all := &sections{rows: map[string]*bytes.Buffer{}}
	for _, v := range top {
		like := v.notes["like"]
		if like == "" {
			rows(all, v.section, v.name, v, nil)
			continue
		}
		for _, o := range top {
			if o.name == like {
				fmt.Fprintf(all.of(v.section), "| `%s.*` | | As `%s.*`, and: |\n", v.name, like)
				rows(all, v.section, v.name, v, o)
			}
		}
	}
	var out bytes.Buffer
	for _, title := range all.titles {
		fmt.Fprintf(&out, "\n### %s\n\n| value | default | what it is |\n|---|---|---|\n%s", title, all.rows[title])
	}
	out.WriteByte('\n')
	return out.Bytes()
}

// rows writes a line for each value below v but for those that are as in like.
func rows(all *sections, section, path string, v, like *value) {
	section = cmp.Or(v.notes["section"], section)
	for _, child := range v.children {
		rows(all, section, path+"."+child.name, child, childOf(like, child.name))
	}
	if len(v.children) > 0 {
		return
	}
	def := defaultOf(v)
	if like != nil && defaultOf(like) == def {
		return
	}
	doc := strings.ReplaceAll(v.doc, "|", `\|`)
	if enum := v.notes["enum"]; enum != "" {
		doc += " One of " + strings.ReplaceAll(enum, ",", ", ") + "."
	}
	fmt.Fprintf(all.of(section), "| `%s` | %s | %s |\n", path, def, doc)
}

func childOf(v *value, name string) *value {
	if v == nil {
		return nil
	}
	for _, child := range v.children {
		if child.name == name {
			return child
		}
	}
	return nil
}

// defaultOf is the default on one line.
func defaultOf(v *value) string {
	if v.node.Tag == "!!null" || (v.node.Kind == yaml.ScalarNode && v.node.Value == "") {
		return ""
	}
	if v.node.Kind == yaml.ScalarNode {
		return "`" + v.node.Value + "`"
	}
	var content any
	if err := v.node.Decode(&content); err != nil {
		return ""
	}
	text, err := json.Marshal(content)
	if err != nil || string(text) == "{}" || string(text) == "[]" {
		return ""
	}
	return "`" + string(text) + "`"
}
