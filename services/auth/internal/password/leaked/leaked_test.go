package leaked_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/atrium-mesh/atrium/services/auth/internal/password/leaked"
)

func TestHas(t *testing.T) {
	t.Parallel()
	for _, password := range []string{"correcthorsebatterystaple", "1q2w3e4r5t6y7u8i", "iloveyouforever", "ilovejustinbieber", "mypasswordis123"} {
		require.True(t, leaked.Has(password), password)
	}
	for _, password := range []string{
		"", "four-quiet-otters", "seven-brave-penguins", "seven green bicycles", "nine orange umbrellas", "IloveYouForever",
	} {
		require.False(t, leaked.Has(password), password)
	}
}

// Of texts that nobody ever had, one in 15,000 is taken for a known password.
func TestHas_is_rarely_wrong(t *testing.T) {
	t.Parallel()
	const texts = 300_000
	wrong := 0
	for i := range texts {
		if leaked.Has(fmt.Sprintf("no such password: %d", i)) {
			wrong++
		}
	}
	require.Less(t, wrong, 2*texts/15_000)
}

func TestBuild(t *testing.T) {
	t.Parallel()
	passwords := map[string]struct{}{}
	for i := range 1000 {
		passwords[fmt.Sprint("password ", i)] = struct{}{}
	}
	filter := leaked.Build(passwords)
	require.Len(t, filter, 1000*leaked.BitsPerPassword/8)
	for password := range passwords {
		for bit := range leaked.Bits(password, uint64(len(filter))*8) {
			require.NotZero(t, filter[bit/8]&(1<<(bit%8)))
		}
	}
}

func BenchmarkHas(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		_ = leaked.Has("four-quiet-otters")
	}
}
