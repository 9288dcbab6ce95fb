package worsttest

import (
	"fmt"
	"strings"

	"github.com/danielgtaylor/huma/v2"
)

const (
	form     = "application/x-www-form-urlencoded"
	password = "nine orange umbrellas" // one that the policy takes
)

// shapes are JSON bodies of at most size bytes. Those of "longest …" are as long as each field may be, so that they pass validation where
// that is possible, and reach what is behind it.
func shapes(schema *huma.Schema, size int) map[string]string {
	each := (size - 64*len(schema.Properties) - 64) / max(1, len(schema.Properties))
	fill := func(unit string) string {
		return membersOf(schema, func(string, *huma.Schema) string { return repeat(unit, each) })
	}
	longest := func(unit string) string {
		return membersOf(schema, func(name string, s *huma.Schema) string { return longestOf(name, s, unit) })
	}
	return map[string]string{
		"ordinary":                 `{"email":"` + Somebody + `@example.com","password":"` + password + `"}`, // to compare with
		"letters of two bytes":     fill("ü"),
		"ligatures of 18 letters":  fill("\ufdfa"),
		"escapes":                  fill(`\u00fc`),
		"comments of an address":   fill("("),
		"addresses":                fill("a@b.c,"),
		"encoded words":            fill("=?utf-8?q?=41?= "),
		"labels":                   fill("ü."),
		"unknown members":          "{" + strings.TrimSuffix(many(size-64), ",") + "}",
		"deep":                     `{"email":` + repeat("[", size/2-32) + repeat("]", size/2-32) + "}",
		"numbers":                  `{"email":[` + strings.TrimSuffix(repeat("1e9,", size-64), ",") + "]}",
		"longest of two bytes":     longest("ü"),
		"longest of ligatures":     longest("\ufdfa"),
		"longest of leet":          longest("4bc0"),
		"longest of other scripts": longest("собака"),
	}
}

func repeat(unit string, size int) string { return strings.Repeat(unit, max(0, size/len(unit))) }

func many(size int) string {
	var b strings.Builder
	for i := 0; b.Len() < size; i++ {
		fmt.Fprintf(&b, `"%x":0,`, i)
	}
	return b.String()
}

func membersOf(schema *huma.Schema, value func(name string, s *huma.Schema) string) string {
	var members []string
	for name, s := range schema.Properties {
		if s.Type == huma.TypeString {
			members = append(members, fmt.Sprintf(`"%s":"%s"`, name, value(name, s)))
		}
	}
	return "{" + strings.Join(members, ",") + "}"
}

func longestOf(name string, s *huma.Schema, unit string) string {
	switch {
	case len(s.Enum) > 0:
		return fmt.Sprint(s.Enum[0])
	case name == "locale":
		return "de-DE-u-co-phonebk-x-aaaaaaaa-bbbb"
	case name == "email" || name == "username":
		return Somebody + repeat(unit, 48) + "@" + repeat("üüüü.", 160) + "example"
	case name == "grant_type":
		return "password"
	case s.MaxLength != nil:
		runes := []rune(repeat(unit, *s.MaxLength*4))
		return string(runes[:min(len(runes), *s.MaxLength)])
	default:
		return repeat(unit, 256)
	}
}

// formOf is a shape as a form.
func formOf(schema *huma.Schema, shape string, size int) string {
	var fields []string
	for name, s := range schema.Properties {
		if shape == "ordinary" {
			return "grant_type=password&username=" + Somebody + "%40example.com&password=nine+orange+umbrellas"
		}
		value := longestOf(name, s, "\ufdfa")
		if !strings.HasPrefix(shape, "longest") {
			value = repeat("%C3%BC", size/len(schema.Properties)-64)
		}
		fields = append(fields, name+"="+strings.ReplaceAll(value, "&", ""))
	}
	return strings.Join(fields, "&")
}
