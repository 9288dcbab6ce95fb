// Package templates owns the words of mails: embedded files for each template and locale, from which a letter is written. What a mail
// looks like is package letter's.
//
//	files/<locale>/<name>.tmpl    the words of a template: subject, intro, action, outro, other; in-app where it is told there too
//	files/<locale>/common.tmpl    words that all templates share
//
// An empty line in an intro or an outro parts paragraphs. A locale that has no words falls back: de-AT → de → en.
package templates

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"
	texttemplate "text/template"

	"github.com/atrium-mesh/atrium/pkg/mail/letter"
)

//go:embed files
var files embed.FS

// Name names a template.
type Name string

// The templates.
const (
	Verification       Name = "verification"
	Reset              Name = "reset"
	AccountExists      Name = "account_exists"
	AccountClosed      Name = "account_closed"
	Welcome            Name = "welcome"
	Invitation         Name = "invitation"
	NewDevice          Name = "new_device"
	PasswordChanged    Name = "password_changed"
	SessionCompromised Name = "session_compromised"
	Notification       Name = "notification"

	AccountDeleted     Name = "account_deleted"
	AccountDeactivated Name = "account_deactivated"
	AccountActivated   Name = "account_activated"
	AccountRestored    Name = "account_restored"
	RolesChanged       Name = "roles_changed"
	NameChanged        Name = "name_changed"
)

// Names lists all templates.
func Names() []Name {
	return []Name{
		Verification, Reset, AccountExists, AccountClosed, Welcome, Invitation, NewDevice, PasswordChanged, SessionCompromised, Notification,
		AccountDeleted, AccountDeactivated, AccountActivated, AccountRestored, RolesChanged, NameChanged,
	}
}

// ErrUnknown is a template that does not exist.
var ErrUnknown = errors.New("unknown template")

const (
	folder = "files"
	common = "common.tmpl"
	suffix = ".tmpl"
)

// Set is every template in every locale, parsed. It is safe for concurrent use.
type Set struct {
	brand letter.Brand
	words map[string]map[Name]*texttemplate.Template // by locale
}

// New parses the embedded files. An error is a mistake in a file.
func New(brand letter.Brand) (*Set, error) {
	s := &Set{brand: brand, words: map[string]map[Name]*texttemplate.Template{}}
	entries, err := fs.ReadDir(files, folder)
	if err != nil {
		return nil, fmt.Errorf("list locales: %w", err)
	}
	for _, e := range entries {
		if !e.IsDir() {
			continue
		}
		if s.words[e.Name()], err = parseLocale(e.Name()); err != nil {
			return nil, err
		}
	}
	return s, nil
}

func parseLocale(locale string) (map[Name]*texttemplate.Template, error) {
	paths, err := fs.Glob(files, path.Join(folder, locale, "*"+suffix))
	if err != nil {
		return nil, fmt.Errorf("list templates: %w", err)
	}
	words := map[Name]*texttemplate.Template{}
	for _, p := range paths {
		if path.Base(p) == common {
			continue
		}
		t, err := texttemplate.New(path.Base(p)).Option("missingkey=error").ParseFS(files, path.Join(folder, locale, common), p)
		if err != nil {
			return nil, fmt.Errorf("parse %s: %w", p, err)
		}
		words[Name(strings.TrimSuffix(path.Base(p), suffix))] = t
	}
	return words, nil
}
