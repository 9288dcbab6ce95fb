package cli

import (
	"fmt"
	"path/filepath"
	"strings"

	"github.com/atrium-mesh/atrium/cmd/atrium/internal/demo"
	"github.com/atrium-mesh/atrium/cmd/atrium/internal/local"
)

// summary is what a person reads once the mesh is ready.
type summary struct {
	mesh    *local.Mesh
	painter painter

	admin        string // address of the administrator that was asked for
	demo         demo.Result
	demoErr      error
	demoPassword string
}

func (s summary) String() string {
	var b strings.Builder
	p, origin := s.painter, s.mesh.Origin
	fmt.Fprintf(&b, "\n  %s %s\n\n", p.bold("Atrium is ready"), p.dim(fmt.Sprintf("in %.2f s", s.mesh.Took.Seconds())))
	row := func(name, value, note string) {
		fmt.Fprintf(&b, "  %s  %s", p.dim(fmt.Sprintf("%-10s", name)), value)
		if note != "" {
			b.WriteString("  " + p.dim(note))
		}
		b.WriteByte('\n')
	}
	row("Gateway", p.link(origin), "")
	row("API docs", p.link(origin+"/docs"), "/redoc  /openapi.json")
	row("Inbox", p.link(origin+"/dev/inbox"), "every mail lands here")
	row("Traces", p.link(origin+"/dev/traces"), "")
	if s.mesh.Postgres != "" {
		row("PostgreSQL", s.mesh.Postgres, "passwords in "+filepath.Join(s.mesh.Folder.Path, "secrets"))
	}
	row("Log", s.mesh.LogPath, "")
	b.WriteByte('\n')
	s.people(&b, row)
	fmt.Fprintf(&b, "  Sign up:\n    curl %s/api/v1/auth/register -H 'Content-Type: application/json' \\\n      -d '{\"email\":\"ada@example.org\",\"password\":\"seven green bicycles\",\"full_name\":\"Ada Lovelace\"}'\n\n", origin)
	if !s.mesh.Loopback {
		fmt.Fprintf(&b, "  %s everybody who reaches this address can read the inbox and the traces.\n\n", p.yellow("Mind:"))
	}
	fmt.Fprintf(&b, "  %s\n\n", p.dim("Ctrl-C stops everything."))
	return b.String()
}

// people says who can sign in: an administrator, or how to become the first one; and the demo's.
func (s summary) people(b *strings.Builder, row func(name, value, note string)) {
	switch {
	case s.mesh.SetupURL != "":
		fmt.Fprintf(b, "  Become the first administrator (works once):\n    %s\n\n", s.painter.link(s.mesh.SetupURL))
	case s.admin != "" && s.mesh.AdminPassword != "":
		row("Admin", s.admin+"  "+s.mesh.AdminPassword, "")
	case s.admin != "":
		row("Admin", s.admin, "with the password that you gave")
	}
	switch {
	case s.demoErr != nil:
		fmt.Fprintf(b, "  %s %v\n", s.painter.yellow("The demo is not complete:"), s.demoErr)
	case s.demo.SignInAs != "":
		row("Person", s.demo.SignInAs+"  "+s.demoPassword, "")
		if !s.demo.Unchanged {
			row("Demo", fmt.Sprintf("%d people and %d notifications were added", s.demo.Made, s.demo.Sent), "")
		}
	}
	if s.mesh.SetupURL == "" && (s.admin != "" || s.demo.SignInAs != "" || s.demoErr != nil) {
		b.WriteByte('\n')
	}
}
