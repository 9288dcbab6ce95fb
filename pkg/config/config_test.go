package config_test

import (
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/atrium-mesh/atrium/pkg/config"
)

type shared struct {
	Addr    string        `env:"ADDR" envDefault:":8080" doc:"Where to listen."`
	Timeout time.Duration `env:"TIMEOUT" envDefault:"20s" doc:"How long to wait."`
	Secret  string        `env:"SECRET_KEY,required" secret:"true" doc:"A key."`
}

func (s shared) Validate() error {
	var errs []error
	if len(s.Secret) < 8 {
		errs = append(errs, config.Problemf("SECRET_KEY", "must be at least %d bytes long.", 8))
	}
	if s.Timeout < 0 {
		errs = append(errs, config.Problemf("TIMEOUT", "must not be negative."))
	}
	return errors.Join(errs...)
}

type Shared = shared

type full struct {
	Shared
	Level   slog.Level `env:"LEVEL" envDefault:"info" doc:"Log level."`
	Workers int        `env:"WORKERS" envDefault:"4" doc:"How many."`
	Debug   bool       `env:"DEBUG" doc:"More talk."`
	Origins []string   `env:"ORIGINS" doc:"Who may ask."`
	Mail    struct {
		Port    int           `env:"PORT" envDefault:"25" doc:"The port."`
		Timeout time.Duration `env:"TIMEOUT" envDefault:"5s" doc:"Of one mail."`
	} `envPrefix:"SMTP_"`
	Again string `env:"ADDR" envDefault:":8080"`
}

func file(t *testing.T, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "value")
	require.NoError(t, os.WriteFile(path, []byte(content), 0o600))
	return path
}

func TestLoad(t *testing.T) {
	t.Parallel()

	t.Run("defaults, values, nested structs and prefixes", func(t *testing.T) {
		t.Parallel()
		cfg, err := config.Load[full](config.Source{
			"SECRET_KEY": "long enough", "LEVEL": "debug", "WORKERS": "", "DEBUG": "true",
			"ORIGINS": "a,b", "SMTP_PORT": "587", "UNKNOWN": "ignored",
		})
		require.NoError(t, err)
		require.Equal(t, ":8080", cfg.Addr)
		require.Equal(t, ":8080", cfg.Again)
		require.Equal(t, 20*time.Second, cfg.Timeout)
		require.Equal(t, slog.LevelDebug, cfg.Level)
		require.Equal(t, 4, cfg.Workers, "an empty value means not set")
		require.True(t, cfg.Debug)
		require.Equal(t, []string{"a", "b"}, cfg.Origins)
		require.Equal(t, 587, cfg.Mail.Port)
		require.Equal(t, 5*time.Second, cfg.Mail.Timeout)
	})

	t.Run("any variable from a file, without the newline at its end", func(t *testing.T) {
		t.Parallel()
		cfg, err := config.Load[full](config.Source{
			"SECRET_KEY_FILE": file(t, " from the file\r\n"),
			"SMTP_PORT_FILE":  file(t, "2525\n"),
		})
		require.NoError(t, err)
		require.Equal(t, " from the file", cfg.Secret)
		require.Equal(t, 2525, cfg.Mail.Port)
	})

	t.Run("reads only the source it is given", func(t *testing.T) {
		t.Parallel()
		require.NotEmpty(t, os.Getenv("PATH"))
		cfg, err := config.Load[struct {
			Path string `env:"PATH"`
		}](config.Source{})
		require.NoError(t, err)
		require.Empty(t, cfg.Path)
	})
}

func TestLoadProblems(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		source config.Source
		want   []string
	}{
		"a required variable is missing": {
			config.Source{}, []string{"SECRET_KEY is required and not set."},
		},
		"an empty value is not set": {
			config.Source{"SECRET_KEY": ""}, []string{"SECRET_KEY is required and not set."},
		},
		"all at once, each once, parsing and rules alike": {
			config.Source{
				"TIMEOUT": "-1s", "LEVEL": "hunter2", "WORKERS": "hunter2", "DEBUG": "hunter2",
				"SMTP_PORT": "hunter2", "SMTP_TIMEOUT": "hunter2",
			},
			[]string{
				"SECRET_KEY is required and not set.",
				"LEVEL must be one of debug, info, warn, error.",
				"WORKERS must be a whole number.",
				`DEBUG must be "true" or "false".`,
				"SMTP_PORT must be a whole number.",
				`SMTP_TIMEOUT must be a duration such as "30s" or "5m".`,
				"TIMEOUT must not be negative.",
			},
		},
		"a rule of a nested struct": {
			config.Source{"SECRET_KEY": "hunter2"}, []string{"SECRET_KEY must be at least 8 bytes long."},
		},
		"both the variable and its file": {
			config.Source{"SECRET_KEY": "hunter2 hunter2", "SECRET_KEY_FILE": "/nowhere"},
			[]string{"SECRET_KEY and SECRET_KEY_FILE are both set: set one of them."},
		},
		"a file that is not there": {
			config.Source{"SECRET_KEY": "", "SECRET_KEY_FILE": "/nowhere/hunter2"},
			[]string{"SECRET_KEY_FILE names a file that cannot be read: no such file or directory."},
		},
		"a file that is empty": {
			config.Source{"SECRET_KEY_FILE": "/dev/null"}, []string{"SECRET_KEY_FILE names a file that is empty."},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := config.Load[full](test.source)
			var all *config.Error
			require.ErrorAs(t, err, &all)
			var got []string
			for _, p := range all.Problems {
				got = append(got, p.Error())
			}
			require.Equal(t, test.want, got)
			require.NotContains(t, err.Error(), "hunter2", "a value is never repeated")
			for _, line := range test.want {
				require.Contains(t, err.Error(), "\n  - "+line)
			}
		})
	}
}

func TestSource(t *testing.T) {
	t.Parallel()
	base := config.Source{"A": "1", "B": "2"}
	require.Equal(t, config.Source{"A": "1", "B": "3", "C": "4"}, base.With(map[string]string{"B": "3", "C": "4"}))
	require.Equal(t, config.Source{"A": "1", "B": "2"}, base)
	require.Equal(t, os.Getenv("PATH"), config.Environ()["PATH"])
}

func TestDescribe(t *testing.T) {
	t.Parallel()
	var names, types []string
	variables := config.Describe[full]()
	for _, v := range variables {
		names = append(names, v.Name)
		types = append(types, v.Type)
	}
	require.Equal(t, []string{"ADDR", "TIMEOUT", "SECRET_KEY", "LEVEL", "WORKERS", "DEBUG", "ORIGINS", "SMTP_PORT", "SMTP_TIMEOUT"}, names)
	require.Equal(t, []string{"text", "duration", "text", "log level", "whole number", "boolean", "list", "whole number", "duration"}, types)
	require.True(t, variables[2].Required)
	require.True(t, variables[2].Secret)
	require.Equal(t, "Where to listen.", variables[0].Doc)

	var table strings.Builder
	require.NoError(t, config.WriteTable(&table, variables))
	require.Contains(t, table.String(), "SECRET_KEY    text          (required)  A key.\n")
	require.Contains(t, table.String(), "SMTP_PORT     whole number  25          The port.\n")
}

func FuzzLoad(f *testing.F) {
	f.Add("20s", "4", "info")
	f.Add("", "-1", "\x00")
	f.Fuzz(func(t *testing.T, timeout, workers, level string) {
		secret := "an error that names this would be a leak"
		_, err := config.Load[full](config.Source{"SECRET_KEY": secret, "TIMEOUT": timeout, "WORKERS": workers, "LEVEL": level})
		if err != nil {
			require.NotContains(t, err.Error(), secret)
			var all *config.Error
			require.ErrorAs(t, err, &all)
			for _, p := range all.Problems {
				require.NotEmpty(t, p.Variable)
			}
		}
	})
}
