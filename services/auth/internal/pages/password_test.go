package pages_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/atrium-mesh/atrium/services/auth/internal/pages"
)

// TestPasswordFields: a password is masked, and a password manager may fill it in (ASVS 6.2.6, 6.2.7).
func TestPasswordFields(t *testing.T) {
	t.Parallel()
	asked := 0
	for _, p := range []pages.Page{pages.ResetPassword(), pages.AcceptInvitation(), pages.Setup()} {
		body := render(t, p).Body.String()
		require.NotContains(t, body, "paste", "the page does not meddle with pasting")
		for _, f := range p.Fields {
			if f.Name != "password" {
				continue
			}
			asked++
			require.Regexp(t, `<input id="password" name="password" type="password" autocomplete="new-password"`, body)
		}
	}
	require.Equal(t, 3, asked)
}
