package preferences_test

import (
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/atrium-mesh/atrium/pkg/errs"
	"github.com/atrium-mesh/atrium/services/notifications/api"
	"github.com/atrium-mesh/atrium/services/notifications/internal/preferences"
)

func TestAllows(t *testing.T) {
	t.Parallel()
	on, off := true, false
	for _, c := range []struct {
		category api.Category
		chosen   *bool
		want     bool
	}{
		{api.CategorySecurity, nil, true},
		{api.CategorySecurity, &off, true},
		{api.CategoryAccount, nil, true},
		{api.CategoryProduct, &off, false},
		{api.CategoryMarketing, nil, false},
		{api.CategoryMarketing, &on, true},
		{"gossip", &on, false},
	} {
		require.Equal(t, c.want, preferences.Allows(c.category, c.chosen), "%s %v", c.category, c.chosen)
	}
}

func TestNeedsProof(t *testing.T) {
	t.Parallel()
	require.False(t, preferences.NeedsProof(api.CategorySecurity), "what proves an address goes to one that is not proved")
	for _, category := range []api.Category{api.CategoryAccount, api.CategoryProduct, api.CategoryMarketing, "gossip"} {
		require.True(t, preferences.NeedsProof(category), category)
	}
}

func TestMatrix(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var choices []preferences.Choice
		for _, info := range api.Categories() {
			for _, channel := range api.Channels() {
				if rapid.Bool().Draw(t, "chosen") {
					choices = append(choices, preferences.Choice{Category: info.Category, Channel: channel, Enabled: rapid.Bool().Draw(t, "on")})
				}
			}
		}
		matrix := preferences.Matrix(choices)
		require.Len(t, matrix.Categories, len(api.Categories()))
		for i, info := range api.Categories() {
			got := matrix.Categories[i]
			require.Equal(t, info.Category, got.Category)
			if info.Locked {
				require.Equal(t, api.ChannelPreference{InApp: true, Email: true}, got.Channels, "whatever was chosen")
			}
		}
	})
}

func newLinks() *preferences.Links {
	return preferences.NewLinks([]byte("a key of at least thirty-two bytes"), "https://app.example.com/")
}

func tokenOf(url string) string { return url[strings.Index(url, "=")+1:] }

func TestLinks(t *testing.T) {
	t.Parallel()
	link := preferences.Link{Recipient: uuid.Must(uuid.NewV7()), Category: api.CategoryProduct}
	url := newLinks().URL(link)
	require.True(t, strings.HasPrefix(url, "https://app.example.com/api/v1/notifications/unsubscribe?token="), url)
	got, err := newLinks().Read(tokenOf(url))
	require.NoError(t, err)
	require.Equal(t, link, got)

	t.Run("another key", func(t *testing.T) {
		t.Parallel()
		_, err := preferences.NewLinks([]byte("another key of at least 32 bytes!"), "").Read(tokenOf(url))
		require.ErrorIs(t, err, errs.Malformed)
	})

	t.Run("what is locked cannot be turned off by link", func(t *testing.T) {
		t.Parallel()
		for _, category := range []api.Category{api.CategorySecurity, "gossip", ""} {
			_, err := newLinks().Read(tokenOf(newLinks().URL(preferences.Link{Recipient: link.Recipient, Category: category})))
			require.ErrorIs(t, err, errs.Malformed)
		}
	})

	t.Run("any other token", func(t *testing.T) {
		t.Parallel()
		token := []byte(tokenOf(url))
		for i := range token {
			changed := append([]byte(nil), token...)
			changed[i] ^= 1
			_, err := newLinks().Read(string(changed))
			require.ErrorIs(t, err, errs.Malformed)
		}
	})
}

func FuzzLinks(f *testing.F) {
	link := preferences.Link{Recipient: uuid.Max, Category: api.CategoryProduct}
	good := tokenOf(newLinks().URL(link))
	f.Add(good)
	f.Add("")
	f.Add("AZjFoG9efDuaUT99HCtKXgA")
	f.Fuzz(func(t *testing.T, token string) {
		got, err := newLinks().Read(token)
		if err == nil && (token != good || got != link) {
			t.Fatalf("%q was accepted as %+v", token, got)
		}
	})
}
