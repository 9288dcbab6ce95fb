package e2e_test

import (
	"testing"

	"github.com/atrium-mesh/atrium/test/e2e/client"
	"github.com/atrium-mesh/atrium/test/e2e/mesh"
)

// everywhere runs a test at separate processes and at `atrium up`.
func everywhere(t *testing.T, test func(t *testing.T, m *mesh.Mesh)) {
	t.Helper()
	for name, start := range map[string]func(t *testing.T) *mesh.Mesh{
		"processes": func(t *testing.T) *mesh.Mesh { t.Helper(); return mesh.Processes(t, mesh.Options{}) },
		"atrium_up": func(t *testing.T) *mesh.Mesh { t.Helper(); return mesh.Up(t) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, start(t))
		})
	}
}

// visitor is a client without tokens at a mesh's first gateway.
func visitor(t testing.TB, m *mesh.Mesh) *client.Client {
	t.Helper()
	return client.New(t, client.Door{Gateway: m.Origin, Inbox: m.Inbox})
}

// administrator signs in as the mesh's first administrator.
func administrator(t testing.TB, m *mesh.Mesh) *client.Client {
	t.Helper()
	admin := visitor(t, m).Device("e2e/admin")
	admin.Login(client.Person{Email: mesh.AdminEmail, Password: mesh.AdminPassword})
	admin.WaitActive()
	return admin
}
