package password

import (
	"errors"
	"net/url"
	"time"
	"unicode/utf8"

	"github.com/atrium-mesh/atrium/pkg/config"
	"github.com/atrium-mesh/atrium/pkg/netaddr"
)

// Config is how expensive a hash is, how many may wait for one, and which passwords nobody may choose. The defaults are OWASP's smallest for argon2id.
type Config struct {
	MemoryKiB   uint32        `env:"ARGON2_MEMORY_KIB" envDefault:"19456" doc:"Memory of one password hash, in KiB."`
	Iterations  uint32        `env:"ARGON2_ITERATIONS" envDefault:"2" doc:"Passes of one password hash over its memory."`
	Parallelism uint8         `env:"ARGON2_PARALLELISM" envDefault:"1" doc:"Threads of one password hash."`
	Concurrency int           `env:"PASSWORD_CONCURRENCY" envDefault:"0" doc:"Password hashes at a time; 0: one for each CPU."`
	QueueLength int           `env:"PASSWORD_QUEUE_LENGTH" envDefault:"32" doc:"Requests that may wait for a password hash; further ones are answered 503."`
	QueueWait   time.Duration `env:"PASSWORD_QUEUE_WAIT" envDefault:"2s" doc:"How long a request may wait for a password hash before it is answered 503."`

	ProductName  string   `env:"PRODUCT_NAME" envDefault:"Atrium" doc:"Name of the product; no password may be made of it."`
	ContextWords []string `env:"PASSWORD_CONTEXT_WORDS" doc:"Further words that no password may be made of, with commas: the organization, other products, code names. The host of ISSUER is one by itself."`
	BreachURL    string   `env:"PASSWORD_BREACH_URL" doc:"Where passwords are looked up that came out in breaches, in the range API of Have I Been Pwned: https://api.pwnedpasswords.com/range. Empty: nobody is asked."`
}

// The bounds of argon2id parameters, of the configuration and of a hash that is verified: a hash that asks for more is not verified, since
// it would take the process's memory.
const (
	leastMemoryKiB  = 7 << 10 // with 5 iterations; OWASP Password Storage Cheat Sheet
	mostMemoryKiB   = 1 << 20
	mostIterations  = 64
	mostParallelism = 16
)

// Validate reports everything that is wrong with the configuration at once.
func (c Config) Validate() error {
	var problems []error
	check := func(ok bool, variable, format string, args ...any) {
		if !ok {
			problems = append(problems, config.Problemf(variable, format, args...))
		}
	}
	check(c.MemoryKiB >= leastMemoryKiB && c.MemoryKiB <= mostMemoryKiB, "ARGON2_MEMORY_KIB", "must be %d to %d.", leastMemoryKiB, mostMemoryKiB)
	check(c.Iterations >= 1 && c.Iterations <= mostIterations, "ARGON2_ITERATIONS", "must be 1 to %d.", mostIterations)
	check(c.Parallelism >= 1 && c.Parallelism <= mostParallelism, "ARGON2_PARALLELISM", "must be 1 to %d.", mostParallelism)
	check(c.Concurrency >= 0, "PASSWORD_CONCURRENCY", "must not be negative.")
	check(c.QueueLength >= 0, "PASSWORD_QUEUE_LENGTH", "must not be negative.")
	check(c.QueueWait >= 0, "PASSWORD_QUEUE_WAIT", "must not be negative.")
	if c.BreachURL != "" {
		_, err := config.BaseOf(c.BreachURL)
		check(err == nil, "PASSWORD_BREACH_URL",
			"must be an http or https URL without a query, fragment or user, such as https://api.pwnedpasswords.com/range.")
	}
	for _, word := range c.ContextWords {
		check(utf8.RuneCountInString(word) >= shortestPart && len(word) <= maxKnown, "PASSWORD_CONTEXT_WORDS", "must be words of %d characters and more.", shortestPart)
	}
	return errors.Join(problems...)
}

// Context is every word that no password may be made of where issuer is the address of the mesh.
func (c Config) Context(issuer string) []string {
	words := append([]string{c.ProductName}, c.ContextWords...)
	if u, err := url.Parse(issuer); err == nil {
		if name, address := netaddr.Host(u.Host); !address.IsValid() && !netaddr.Local(u.Host) {
			words = append(words, name)
		}
	}
	return words
}

// Default is the configuration without any environment.
func Default() Config {
	return Config{MemoryKiB: 19456, Iterations: 2, Parallelism: 1, QueueLength: 32, QueueWait: 2 * time.Second, ProductName: "Atrium"}
}
