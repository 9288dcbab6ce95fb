// Package letter owns what a mail of the mesh looks like. Whoever has the words writes a [Letter], in plain text; whoever has the links
// lays it out. So the words can come from another service than the one that sends the mail, and that other service never sees the links:
//
//	notifications ──Letter──▶ auth: Layout.Fill(letter, links) ──▶ SMTP
//
// A letter is text and nothing else. The layout escapes all of it, so that none of it becomes markup, an attribute or an address that is
// opened; addresses come from [Brand] and [Links], which whoever lays it out provides.
package letter

// Letter is the words of a mail, in plain text.
type Letter struct {
	Locale      string   `json:"locale"`  // in which it is written
	Subject     string   `json:"subject"` // one line
	Greeting    string   `json:"greeting"`
	Intro       []string `json:"intro,omitempty"`     // paragraphs before the link
	Details     []Detail `json:"details,omitempty"`   // facts, one a line
	Action      string   `json:"action,omitempty"`    // what following the link does
	LinkHelp    string   `json:"link_help,omitempty"` // for those whose button does not work
	Outro       []string `json:"outro,omitempty"`     // paragraphs after the link
	Other       string   `json:"other,omitempty"`     // what following the second link does
	Why         string   `json:"why"`                 // why they receive it
	Unsubscribe string   `json:"unsubscribe,omitempty"`
}

// Detail is a fact.
type Detail struct {
	Label string `json:"label"`
	Value string `json:"value"`
}
