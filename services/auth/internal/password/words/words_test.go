package words_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/atrium-mesh/atrium/services/auth/internal/password/words"
)

func TestLoad(t *testing.T) {
	t.Parallel()
	list, err := words.Load()
	require.NoError(t, err)
	require.Greater(t, list.Len(), 50_000)
	for _, word := range []string{"password", "letmein", "qwertyuiop", "elizabeth", "independence", "henderson"} {
		require.True(t, list.Has(word), word)
	}
	for _, word := range []string{"", "abc", "Password", "tr0ub4dor", "zzzzzzzzzzzzzzzz"} {
		require.False(t, list.Has(word), word)
	}
}
