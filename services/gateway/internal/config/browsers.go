package config

import (
	"fmt"
	"strings"
	"time"

	"github.com/atrium-mesh/atrium/pkg/config"
)

// maxHSTS is the longest that anybody asks for (two years, as the preload list does), so that a mistyped unit is noticed: browsers
// cannot be told to forget what they never come back to hear.
const maxHSTS = 2 * 8766 * time.Hour

func (c Config) browserProblems() []error {
	var problems []error
	if c.HSTSMaxAge < 0 || c.HSTSMaxAge > maxHSTS {
		problems = append(problems, config.Problemf("HSTS_MAX_AGE", "must be between 0 and two years (17532h)."))
	}
	if c.HSTSIncludeSubDomains && !c.overTLS() {
		problems = append(problems, config.Problemf("HSTS_INCLUDE_SUBDOMAINS",
			"needs an https ISSUER: browsers ignore Strict-Transport-Security over plain HTTP."))
	}
	return problems
}

func (c Config) overTLS() bool { return strings.HasPrefix(strings.ToLower(c.Issuer), "https://") }

// HSTS is the Strict-Transport-Security field (RFC 6797 section 6.1) of every answer; "" when the gateway is not reached over TLS.
// There is no preload: it is asked for by name and cannot be taken back for months.
func (c Config) HSTS() string {
	if !c.overTLS() {
		return ""
	}
	field := fmt.Sprintf("max-age=%d", int64(c.HSTSMaxAge.Seconds()))
	if c.HSTSIncludeSubDomains {
		field += "; includeSubDomains"
	}
	return field
}
