package telemetry_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/atrium-mesh/atrium/pkg/config"
	"github.com/atrium-mesh/atrium/pkg/telemetry"
)

// TestLogLinesCannotBeForged: whatever a client sends, it stays inside of one value of one line.
func TestLogLinesCannotBeForged(t *testing.T) {
	t.Parallel()
	const forged = "x\n{\"level\":\"ERROR\",\"msg\":\"forged\"}\r\nlevel=ERROR msg=forged \x1b[31m\u2028\x00"
	for _, format := range []string{"json", "text"} {
		t.Run(format, func(t *testing.T) {
			t.Parallel()
			var out bytes.Buffer
			tel := setup(t, config.Source{"LOG_FORMAT": format}, telemetry.WithLogOutput(&out))
			tel.Logger.With(forged, forged).WarnContext(t.Context(), forged, "agent", forged)
			line := strings.TrimSuffix(out.String(), "\n")
			require.NotEmpty(t, line)
			require.NotContains(t, line, "\n")
			require.NotContains(t, line, "\r")
			require.NotContains(t, line, "\x1b")
			require.NotContains(t, line, "\x00")
			if format == "json" {
				var read map[string]any
				require.NoError(t, json.Unmarshal([]byte(line), &read))
				require.Equal(t, forged, read["agent"])
				require.Equal(t, "WARN", read["level"])
			}
		})
	}
}
