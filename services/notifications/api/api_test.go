package api_test

import (
	"strings"
	"testing"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/atrium-mesh/atrium/pkg/events/eventstest"
	"github.com/atrium-mesh/atrium/pkg/op"
	"github.com/atrium-mesh/atrium/services/notifications/api"
)

func TestOperations(t *testing.T) {
	t.Parallel()

	t.Run("each is documented", func(t *testing.T) {
		t.Parallel()
		doc := op.Document(huma.Info{Title: "notifications", Version: "1"}, "/token", api.Operations())
		for _, o := range api.Operations() {
			m := o.Meta()
			if m.ID == api.UnsubscribePage.OperationID || m.Path == "" { // of a browser, or internal
				continue
			}
			item := doc.Paths[m.Path]
			require.NotNil(t, item, m.ID)
		}
		for path, item := range doc.Paths {
			for _, o := range []*huma.Operation{item.Get, item.Put, item.Post, item.Delete} {
				if o != nil {
					require.NotEmpty(t, o.Summary, path)
					require.NotEmpty(t, strings.TrimSpace(o.Description), path)
					require.NotEmpty(t, o.Tags, path)
				}
			}
		}
	})

	t.Run("ids and subjects are unique and ours", func(t *testing.T) {
		t.Parallel()
		seen := map[string]bool{}
		for _, o := range api.Operations() {
			m := o.Meta()
			require.False(t, seen[m.ID], m.ID)
			seen[m.ID] = true
			if m.Subject != "" {
				require.Equal(t, "rpc.notifications."+m.ID, m.Subject)
			}
		}
	})
}

func TestEvents(t *testing.T) {
	t.Parallel()
	id := uuid.MustParse("0198c5a0-6f5e-7c3b-9a51-3f7d1c2b4a5e")
	at := time.Date(2026, 1, 2, 15, 4, 5, 0, time.UTC)
	eventstest.Golden(t, api.NotificationCreated, api.NotificationCreatedData{NotificationID: id, RecipientID: id, Category: api.CategoryProduct, At: at})
	eventstest.Golden(t, api.DeliveryFailed, api.DeliveryFailedData{
		DeliveryID: id, RecipientID: id, Category: api.CategorySecurity, Channel: api.ChannelEmail, Reason: "address_refused", At: at,
	})
}

func TestCategories(t *testing.T) {
	t.Parallel()
	for _, info := range api.Categories() {
		found, ok := info.Category.Info()
		require.True(t, ok)
		require.Equal(t, info, found)
		require.False(t, info.Locked && !info.Default, "%s is locked off", info.Category)
	}
	_, ok := api.Category("gossip").Info()
	require.False(t, ok)
}
