package api_test

import (
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/atrium-mesh/atrium/pkg/events/eventstest"
	"github.com/atrium-mesh/atrium/services/users/api"
)

func TestEventsDecodeForEver(t *testing.T) {
	t.Parallel()
	id := uuid.MustParse("0198c5a0-6f5e-7c3b-9a51-3f7d1c2b4a5e")
	at := time.Date(2026, 1, 2, 15, 4, 5, 0, time.UTC)
	status := api.UserStatusData{UserID: id, Version: 3, At: at}
	eventstest.Golden(t, api.UserUpdated, api.UserUpdatedData{
		UserID: id, Version: 2, Email: "ada@example.com", FullName: "Ada Lovelace", Locale: "en", TimeZone: "UTC",
	})
	eventstest.Golden(t, api.UserActivated, status)
	eventstest.Golden(t, api.UserDeactivated, status)
	status.Status = "deactivated"
	eventstest.Golden(t, api.UserRestored, status)
	eventstest.Golden(t, api.UserDeleted, api.UserDeletedData{UserID: id, Version: 4, At: at, EraseAt: at.AddDate(0, 1, 0)})
	eventstest.Golden(t, api.UserErased, api.UserErasedData{UserID: id, At: at})
}
