package setup

import (
	"cmp"
	"errors"

	"github.com/atrium-mesh/atrium/pkg/config"
	"github.com/atrium-mesh/atrium/pkg/errs"
	"github.com/atrium-mesh/atrium/pkg/person"
	"github.com/atrium-mesh/atrium/services/auth/internal/address"
	"github.com/atrium-mesh/atrium/services/auth/internal/password"
)

// Config is the first administrator, who is made at start when there is none.
type Config struct {
	Email    string `env:"ADMIN_EMAIL" doc:"Address of the first administrator, who is made at start when there is none. With ADMIN_PASSWORD."`
	Password string `env:"ADMIN_PASSWORD" secret:"true" doc:"Password of the first administrator, under the rules for all. Later changes here have no effect."`
	Name     string `env:"ADMIN_NAME" envDefault:"Administrator" doc:"What to call the first administrator."`
}

// Validate reports everything that is wrong with the configuration at once.
func (c Config) Validate() error {
	if c.Email == "" && c.Password == "" {
		return nil
	}
	var problems []error
	if c.Email == "" {
		problems = append(problems, config.Problemf("ADMIN_EMAIL", "is required with ADMIN_PASSWORD."))
	} else if _, err := address.Parse("ADMIN_EMAIL", c.Email); err != nil {
		problems = append(problems, config.Problemf("ADMIN_EMAIL", "%s.", errs.From(err).Fields[0].Message))
	}
	if _, err := person.Name("ADMIN_NAME", c.Name); err != nil {
		problems = append(problems, config.Problemf("ADMIN_NAME", "%s.", errs.From(err).Fields[0].Message))
	}
	if c.Password == "" {
		problems = append(problems, config.Problemf("ADMIN_PASSWORD", "is required with ADMIN_EMAIL."))
	} else if err := c.checkPassword(); err != nil {
		problems = append(problems, err)
	}
	return errors.Join(problems...)
}

// variables says of which variables an error speaks that names the fields of the setup form.
func variables(err error) error {
	names := map[string]string{"body.email": "ADMIN_EMAIL", "body.password": "ADMIN_PASSWORD", "body.full_name": "ADMIN_NAME"}
	var problems []error
	for _, f := range errs.From(err).Fields {
		problems = append(problems, config.Problemf(cmp.Or(names[f.Field], f.Field), "%s.", f.Message))
	}
	return errors.Join(problems...)
}

func (c Config) checkPassword() error {
	policy, err := password.NewPolicy(password.PolicyConfig{})
	if err != nil {
		return err
	}
	if err := policy.Check("ADMIN_PASSWORD", c.Password, password.Person{Email: c.Email, FullName: c.Name}); err != nil {
		return config.Problemf("ADMIN_PASSWORD", "%s.", errs.From(err).Fields[0].Message)
	}
	return nil
}
