package e2e_test

import (
	"testing"

	"github.com/atrium-mesh/atrium/test/e2e/client"
	"github.com/atrium-mesh/atrium/test/e2e/mesh"
)

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
