package pages

import (
	"github.com/atrium-mesh/atrium/services/auth/api"
	"github.com/atrium-mesh/atrium/services/auth/internal/password"
)

// Page is what one page says and calls.
type Page struct {
	Action   string // path of the operation that the form calls, with the token
	Heading  string
	Intro    []string
	Fields   []Field
	Button   string
	Danger   bool   // the button ends something
	Done     string // heading after success
	DoneText []string
	Again    *Again // how to get another link; nil: not from here

	Otherwise *Otherwise // what is asked for when the form alone is not enough; nil: it is
}

// Otherwise is asked when the operation answers with a code: one of several ways to go on, and a way out.
type Otherwise struct {
	Code    string
	Heading string
	Intro   []string
	Ways    []Way
	Leave   Leave
}

// Way is one way to go on: one more field of the same operation.
type Way struct {
	Heading string
	Field   Field
	Button  string
}

// Leave leads to another page of the same link.
type Leave struct{ Path, Text string }

// Field is an input; its name is that of the operation's body.
type Field struct {
	Name, Label, Hint    string
	Type                 string // text, email or password
	Autocomplete         string
	MinLength, MaxLength int
	Optional             bool
}

// Again asks for another link.
type Again struct {
	Path string // of the operation, which takes an address
	Text string
}

func newPassword() Field {
	return Field{
		Name: "password", Label: "Password", Type: "password", Autocomplete: "new-password",
		Hint:      "At least 12 characters. Four unrelated words are easy to remember and hard to guess.",
		MinLength: password.MinLength, MaxLength: password.MaxLength,
	}
}

// VerifyEmail proves an address.
func VerifyEmail() Page {
	return Page{
		Action: api.VerifyEmail.Path, Heading: "Verify your e-mail address", Button: "Verify my address",
		Intro: []string{"One click, and you can sign in with this address."},
		Done:  "Your address is verified", DoneText: []string{"You can sign in now. This page can be closed."},
		Again: &Again{Path: api.ResendVerification.Path, Text: "Type your address to get another link."},
		Otherwise: &Otherwise{
			Code: "password_required", Heading: "Is it you who signed up?",
			Intro: []string{"This is not the browser in which somebody signed up with your address, so we ask for the password."},
			Ways: []Way{
				{
					Heading: "You signed up", Button: "Verify my address",
					Field: Field{
						Name: "password", Label: "Password that you chose", Type: "password", Autocomplete: "current-password",
						MaxLength: password.MaxLength,
					},
				},
				{Heading: "You do not know the password", Field: anotherPassword(), Button: "Set it and verify my address"},
			},
			Leave: Leave{Path: api.DisownPage.Path, Text: "I did not sign up"},
		},
	}
}

func anotherPassword() Field {
	f := newPassword()
	f.Name, f.Label = "new_password", "New password"
	return f
}

// Disown removes an account that somebody else made.
func Disown() Page {
	return Page{
		Action: api.Disown.Path, Heading: "You did not sign up?", Button: "Remove the account", Danger: true,
		Intro: []string{
			"Somebody made an account with your address. This removes it for good, and your address is free again.",
			"If it was you after all, close this page and use the other link of the mail.",
		},
		Done: "The account is removed", DoneText: []string{"There is nothing more to do. This page can be closed."},
	}
}

// ResetPassword sets another password.
func ResetPassword() Page {
	return Page{
		Action: api.ResetPassword.Path, Heading: "Choose a new password", Button: "Set the new password",
		Intro: []string{"Every device that is signed in to your account will be signed out."}, Fields: []Field{newPassword()},
		Done: "Your password is changed", DoneText: []string{"Sign in with the new password. This page can be closed."},
		Again: &Again{Path: api.ForgotPassword.Path, Text: "Type your address to get another link."},
	}
}

// AcceptInvitation sets the first password of an invited person.
func AcceptInvitation() Page {
	return Page{
		Action: api.AcceptInvitation.Path, Heading: "Welcome: accept your invitation", Button: "Accept the invitation",
		Intro: []string{"An account was made for you. Choose the password that you will sign in with."},
		Fields: []Field{
			{
				Name: "full_name", Label: "Name", Type: "text", Autocomplete: "name", MaxLength: 200, Optional: true,
				Hint: "What to call you, if it is not what the invitation says.",
			},
			newPassword(),
		},
		Done: "Your account is ready", DoneText: []string{"Sign in with your address and the new password. This page can be closed."},
	}
}

// Setup makes the first administrator.
func Setup() Page {
	return Page{
		Action: api.SetupFirstAdmin.Path, Heading: "Make the first administrator", Button: "Make the administrator",
		Intro: []string{"There is no administrator yet. This link works once."},
		Fields: []Field{
			{Name: "full_name", Label: "Name", Type: "text", Autocomplete: "name", MaxLength: 200},
			{Name: "email", Label: "E-mail address", Type: "email", Autocomplete: "email", MaxLength: 254},
			newPassword(),
		},
		Done: "Atrium has an administrator", DoneText: []string{"Sign in with the address and the password. This page can be closed."},
	}
}

// NotMe revokes everything of an account.
func NotMe() Page {
	return Page{
		Action: api.NotMe.Path, Heading: "This was not you?", Button: "Secure my account", Danger: true,
		Intro: []string{
			"Somebody else may have been in your account. This signs out every device, and the present password stops working.",
			"We then send you a mail to set a new password. If it was you after all, close this page.",
		},
		Done: "Your account is secured", DoneText: []string{
			"Every device is signed out. Look into your mail for a link to set a new password.", "If you used the old password elsewhere, change it there, too.",
		},
	}
}
