package config

import (
	"fmt"
	"strings"
)

// Problem is one thing that is wrong with a configuration. Its text names the variable and never its value.
type Problem struct {
	Variable string // empty when no single variable is to blame
	Reason   string // completes the sentence that starts with the variable's name
}

// Problemf is a Problem of the variable, for use in Validate.
func Problemf(variable, format string, args ...any) error {
	return Problem{Variable: variable, Reason: fmt.Sprintf(format, args...)}
}

// Error is the sentence.
func (p Problem) Error() string {
	if p.Variable == "" {
		return p.Reason
	}
	return p.Variable + " " + p.Reason
}

// Error lists every problem of a configuration, so that all can be mended at once.
type Error struct{ Problems []Problem }

// Error has one line for each problem.
func (e *Error) Error() string {
	lines := make([]string, len(e.Problems))
	for i, p := range e.Problems {
		lines[i] = "  - " + p.Error()
	}
	return "the configuration is not valid:\n" + strings.Join(lines, "\n")
}

// Unwrap returns the problems.
func (e *Error) Unwrap() []error {
	errs := make([]error, len(e.Problems))
	for i, p := range e.Problems {
		errs[i] = p
	}
	return errs
}
