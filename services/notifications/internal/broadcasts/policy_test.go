package broadcasts

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/atrium-mesh/atrium/pkg/errs"
	"github.com/atrium-mesh/atrium/pkg/strictjson"
	"github.com/atrium-mesh/atrium/services/notifications/api"
)

// Numbers that the database would write otherwise than they were sent are refused, wherever in the data they stand.
func TestParse_numbers_in_data(t *testing.T) {
	t.Parallel()
	for number, good := range map[string]bool{
		"0":                            true,
		"-1":                           true,
		"1.50":                         true,
		"-0.01":                        true,
		"12345678901234567890":         true,
		strings.Repeat("9", 40):        true,
		"0." + strings.Repeat("1", 39): true,
		"-" + strings.Repeat("9", 40):  true,
		strings.Repeat("9", 41):        false,
		"0." + strings.Repeat("1", 40): false,
		"-0":                           false,
		"-0.00":                        false,
		"1e130000":                     false,
		"1E+2":                         false,
		"1e-7":                         false,
		"1e-16000":                     false,
	} {
		for _, data := range []string{`{"n":` + number + `}`, `{"a":[{"n":[1,` + number + `]}]}`} {
			in := api.NewSend{To: api.SendAudience{Everyone: true}, Category: api.CategoryProduct, Title: "News", Body: "All is well."}
			require.NoError(t, strictjson.Unmarshal([]byte(data), &in.Data))
			out, err := parse(in, time.Now())
			if good {
				require.NoError(t, err, data)
				back, err := json.Marshal(out.Data)
				require.NoError(t, err)
				require.Equal(t, data, string(back))
				continue
			}
			require.ErrorIs(t, err, errs.Invalid, data)
			require.Equal(t, []errs.Field{{
				Field:   "body.data",
				Code:    "format",
				Message: "must have numbers as plain decimals: at most 40 digits, no exponent, no -0",
			}}, errs.From(err).Fields)
		}
	}
}
