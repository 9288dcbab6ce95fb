package api_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/atrium-mesh/atrium/pkg/events"
	"github.com/atrium-mesh/atrium/services/auth/api"
)

var update = flag.Bool("update", false, "write the golden files again") //nolint:gochecknoglobals // a flag

// The JSON of every event is kept as a file. An event that was written years ago must decode to what it meant then: a golden file is
// never changed, and a field that is added later is optional.
func TestEvents(t *testing.T) {
	t.Parallel()
	id, session := uuid.MustParse("0198c5a0-6f5e-7c3b-9a51-3f7d1c2b4a5e"), uuid.MustParse("0198c5a0-7a11-7d2e-8c4f-5b6a7c8d9e0f")
	at := time.Date(2026, 1, 2, 15, 4, 5, 678_000_000, time.UTC)

	golden(t, api.AccountRegistered, api.AccountRegisteredData{
		AccountID: id, Email: "ada@example.com", FullName: "Ada Lovelace", Locale: "en-GB", Origin: api.OriginSignUp, Roles: []string{"user"}, At: at,
	})
	golden(t, api.AccountVerified, api.AccountVerifiedData{AccountID: id, Email: "ada@example.com", FullName: "Countess of Lovelace", At: at})
	golden(t, api.VerificationRequested, api.AccountData{AccountID: id, At: at})
	golden(t, api.PasswordResetRequested, api.AccountData{AccountID: id, At: at})
	golden(t, api.AccountDisowned, api.AccountData{AccountID: id, At: at})
	golden(t, api.RegistrationAttempted, api.RegistrationAttemptedData{
		AccountID: id, Device: "Firefox on Linux", IP: "203.0.113.7", At: at, Generation: 3,
	})
	goldenAs(t, api.RegistrationAttempted, "closed", api.RegistrationAttemptedData{AccountID: id, IP: "203.0.113.7", At: at, Closed: true})
	golden(t, api.PasswordChanged, api.PasswordChangedData{AccountID: id, How: "change", Device: "Firefox on Linux", IP: "203.0.113.7", At: at})
	golden(t, api.SessionStarted, api.SessionStartedData{
		AccountID: id, SessionID: session, NewDevice: true, Device: "Firefox on Linux", IP: "203.0.113.7", At: at,
	})
	goldenAs(t, api.SessionStarted, "noticed", api.SessionStartedData{
		AccountID: id, SessionID: session, NewDevice: true, LastNotice: true, Device: "Firefox on Linux", IP: "203.0.113.7", At: at,
	})
	goldenAs(t, api.SessionStarted, "quiet", api.SessionStartedData{
		AccountID: id, SessionID: session, NewDevice: true, Quiet: true, Device: "Firefox on Linux", IP: "203.0.113.7", At: at,
	})
	golden(t, api.SessionCompromised, api.SessionCompromisedData{
		AccountID: id, SessionID: session, Device: "curl", IP: "198.51.100.66", At: at,
	})
	golden(t, api.RolesChanged, api.RolesChangedData{AccountID: id, Roles: []string{"support", "user"}, Version: 2, At: at})
	golden(t, api.AccountStandingChanged, api.AccountStandingChangedData{
		AccountID: id,
		Standing:  api.StandingDisabled,
		Version:   3,
		Cause:     api.VerbRestore,
		By:        "0198c5a0-6f5e-7c3b-9a51-3f7d1c2b4aaa",
		At:        at,
	})
	goldenAs(t, api.RolesChanged, "noticed", api.RolesChangedData{
		AccountID: id, Roles: []string{"admin", "user"}, Version: 3, Added: []string{"admin"}, Removed: []string{"support"}, By: session.String(), At: at,
	})
	golden(t, api.WatermarkRaised, api.WatermarkRaisedData{
		Scope: "session", ID: session.String(), NotBefore: at, ExpiresAt: at.Add(16 * time.Minute),
	})
}

func golden[T any](t *testing.T, of events.Type[T], data T) {
	t.Helper()
	goldenAs(t, of, "", data)
}

// goldenAs is for an event with fields that were added later: what was written before keeps its file.
func goldenAs[T any](t *testing.T, of events.Type[T], variant string, data T) {
	t.Helper()
	name := strings.TrimSuffix(of.Name+"."+variant, ".")
	t.Run(name, func(t *testing.T) {
		t.Parallel()
		file := filepath.Join("testdata", "events", name+".json")
		written, err := json.MarshalIndent(data, "", "  ")
		require.NoError(t, err)
		if *update {
			require.NoError(t, os.WriteFile(file, append(written, '\n'), 0o644))
		}
		kept, err := os.ReadFile(file)
		require.NoError(t, err)
		var back T
		decoder := json.NewDecoder(bytes.NewReader(kept))
		decoder.DisallowUnknownFields()
		require.NoError(t, decoder.Decode(&back))
		require.Equal(t, data, back, "what was written before is understood")
		require.JSONEq(t, string(kept), string(written), "what is written now was agreed on")
	})
}
