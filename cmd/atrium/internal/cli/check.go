package cli

import (
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/atrium-mesh/atrium/cmd/atrium/internal/check"
	"github.com/atrium-mesh/atrium/pkg/config"
)

type checkFlags struct {
	gateway, inbox, ca            string
	services                      []string
	adminEmail, adminPasswordFile string
	timeout                       time.Duration
	asJSON                        bool
}

func newCheck(s Streams) *cobra.Command {
	var f checkFlags
	c := &cobra.Command{
		Use: "check", Short: "Check a mesh that is installed: is every process ready, can somebody sign up and in", Args: noArgs,
		Long: "Asks every address of each --service whether it is ready, waits for those that are not, and names what they lack. Then it walks through\n" +
			"the gateway: a throw-away person at example.com signs up; with --inbox the mail is read and the person signs in and out; without it the\n" +
			"walk ends where the address is not verified. `helm test` runs this.",
		Example: "  atrium check --gateway https://atrium-gateway:8080 --ca ca.crt --service auth=http://atrium-auth-admin:9090",
		RunE: func(c *cobra.Command, _ []string) error {
			cfg, err := f.config(s)
			if err != nil {
				return err
			}
			return f.report(s, check.Run(c.Context(), cfg))
		},
	}
	flags := c.Flags()
	flags.StringVar(&f.gateway, "gateway", "", "where the gateway is, such as https://atrium-gateway:8080")
	flags.StringVar(&f.inbox, "inbox", "", "where `atrium inbox` shows the mail of the mesh; left out: nobody reads it")
	flags.StringVar(&f.ca, "ca", "", "PEM file of the authorities that vouch for the gateway; left out: the system's")
	flags.StringArrayVar(&f.services, "service", nil, "name=http://host:port of a service's admin port; may be given again")
	flags.DurationVar(&f.timeout, "timeout", time.Minute, "how long to wait for readiness, and again for the walk")
	flags.StringVar(&f.adminEmail, "admin-email", "", "administrator who deletes the throw-away person; left out: it stays")
	flags.StringVar(&f.adminPasswordFile, "admin-password-file", "", "file with the password of --admin-email")
	flags.BoolVar(&f.asJSON, "json", false, "print JSON")
	return c
}

func (f checkFlags) config(s Streams) (check.Config, error) {
	cfg := check.Config{Timeout: f.timeout, Say: func(line string) { fmt.Fprintln(s.Err, line) }}
	if f.timeout <= 0 {
		return cfg, usagef("--timeout %s: must be more than nothing", f.timeout)
	}
	if (f.adminEmail == "") != (f.adminPasswordFile == "") {
		return cfg, usagef("--admin-email and --admin-password-file belong together")
	}
	var err error
	if cfg.Gateway, err = parseOrigin("--gateway", f.gateway, "http", "https"); err != nil {
		return cfg, err
	}
	if f.inbox != "" {
		if cfg.Inbox, err = parseOrigin("--inbox", f.inbox, "http", "https"); err != nil {
			return cfg, err
		}
	}
	for _, text := range f.services {
		name, address, found := strings.Cut(text, "=")
		if !found || name == "" {
			return cfg, usagef("--service %s: must be name=http://host:port", text)
		}
		origin, err := parseOrigin("--service "+name, address, "http")
		if err != nil {
			return cfg, err
		}
		cfg.Services = append(cfg.Services, check.Service{Name: name, URL: origin})
	}
	return cfg, f.readFiles(&cfg)
}

// readFiles reads the authorities and the administrator's password.
func (f checkFlags) readFiles(cfg *check.Config) error {
	if f.ca != "" {
		pem, err := os.ReadFile(f.ca)
		if err != nil {
			return fmt.Errorf("read --ca: %w", err)
		}
		cfg.Roots = x509.NewCertPool()
		if !cfg.Roots.AppendCertsFromPEM(pem) {
			return fmt.Errorf("--ca %s holds no certificate", f.ca)
		}
	}
	if f.adminPasswordFile != "" {
		password, err := os.ReadFile(f.adminPasswordFile)
		if err != nil {
			return fmt.Errorf("read --admin-password-file: %w", err)
		}
		cfg.Admin = check.Credentials{Email: f.adminEmail, Password: strings.TrimRight(string(password), "\r\n")}
	}
	return nil
}

// parseOrigin is scheme://host[:port] without a slash at its end.
func parseOrigin(flag, text string, schemes ...string) (string, error) {
	origin := strings.TrimRight(text, "/")
	scheme, _, _ := strings.Cut(origin, "://")
	if config.CheckOrigin(flag, origin) == nil && slices.Contains(schemes, strings.ToLower(scheme)) {
		return origin, nil
	}
	return "", usagef("%s %q: must be %s://host:port", flag, text, schemes[len(schemes)-1])
}

func (f checkFlags) report(s Streams, findings []check.Finding) error {
	if f.asJSON {
		if err := writeJSON(s.Out, map[string]any{"items": findings, "healthy": check.Healthy(findings)}); err != nil {
			return err
		}
	} else {
		p := painter{colourful(s.Out, s.Environment)}
		for _, found := range findings {
			mark := p.green("✓")
			if !found.OK {
				mark = p.red("✗")
			}
			fmt.Fprintln(s.Out, mark, found.Found)
		}
	}
	if !check.Healthy(findings) {
		return errors.New("the mesh does not work yet; see above")
	}
	return nil
}
