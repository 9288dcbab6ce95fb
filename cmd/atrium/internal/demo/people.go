package demo

// fate is what becomes of a person after the invitation.
type fate int

const (
	active      fate = iota // accepted the invitation
	invited                 // has not accepted it
	deactivated             // accepted it, then kept out
	deleted                 // accepted it, then deleted
)

type person struct {
	name, email, locale, zone string
	roles                     []string
	fate                      fate
}

func people() []person {
	user, support := []string{"user"}, []string{"user", "support"}
	return []person{
		{"Ada Lovelace", "ada@example.com", "en-GB", "Europe/London", user, active},
		{"Grace Hopper", "grace@example.com", "en-US", "America/New_York", support, active},
		{"Konrad Zuse", "konrad@example.com", "de", "Europe/Berlin", support, active},
		{"Katherine Johnson", "katherine@example.com", "en-US", "America/New_York", user, active},
		{"Alan Turing", "alan@example.com", "en-GB", "Europe/London", user, active},
		{"Emmy Noether", "emmy@example.com", "de", "Europe/Berlin", user, active},
		{"Srinivasa Ramanujan", "srinivasa@example.com", "en-IN", "Asia/Kolkata", user, active},
		{"Maryam Mirzakhani", "maryam@example.com", "fa", "Asia/Tehran", user, active},
		{"Edsger Dijkstra", "edsger@example.com", "nl", "Europe/Amsterdam", user, active},
		{"Barbara Liskov", "barbara@example.com", "en-US", "America/New_York", user, active},
		{"Radia Perlman", "radia@example.com", "en-US", "America/Los_Angeles", user, active},
		{"Leslie Lamport", "leslie@example.com", "en-US", "America/Los_Angeles", user, active},
		{"Frances Allen", "frances@example.com", "en-US", "America/New_York", user, active},
		{"Tony Hoare", "tony@example.com", "en-GB", "Europe/London", user, active},
		{"Evelyn Boyd Granville", "evelyn@example.com", "en-US", "America/Chicago", user, active},
		{"Sofya Kovalevskaya", "sofya@example.com", "ru", "Europe/Moscow", user, active},
		{"Chien-Shiung Wu", "wu@example.com", "zh", "Asia/Shanghai", user, invited},
		{"Subrahmanyan Chandrasekhar", "chandra@example.com", "en-IN", "Asia/Kolkata", user, invited},
		{"Tu Youyou", "youyou@example.com", "zh", "Asia/Shanghai", user, invited},
		{"Rosalind Franklin", "rosalind@example.com", "en-GB", "Europe/London", user, invited},
		{"Hedy Lamarr", "hedy@example.com", "de-AT", "Europe/Vienna", user, invited},
		{"Charles Babbage", "charles@example.com", "en-GB", "Europe/London", user, deactivated},
		{"Blaise Pascal", "blaise@example.com", "fr", "Europe/Paris", user, deactivated},
		{"Herman Hollerith", "herman@example.com", "en-US", "America/New_York", user, deactivated},
		{"Gottfried Leibniz", "gottfried@example.com", "de", "Europe/Berlin", user, deleted},
	}
}

// send is a notification to make. Those without an audience of their own go to everyone.
type send struct {
	key, category, title, body string
	roles                      []string
	to                         []string // addresses
	inDays                     int
}

func sends() []send {
	return []send{
		{
			key: "welcome", category: "product", title: "Welcome to the new dashboard",
			body: "Everything you follow is on one page now.\n\nTell us what is missing: just answer this message.",
		},
		{
			key: "handover", category: "account", title: "On-call handover on Monday", roles: []string{"support"},
			body: "Grace hands over to Konrad at 09:00 UTC. Open tickets are listed in the runbook.",
		},
		{
			key: "invoice", category: "account", title: "Your invoice for October is ready", to: []string{"ada@example.com", "emmy@example.com", "alan@example.com"},
			body: "You find it under Billing. It is paid automatically; there is nothing to do.",
		},
		{
			key: "export", category: "account", title: "Your export is finished", to: []string{"ada@example.com"},
			body: "12,408 rows, 3.1 MB. The file is kept for seven days.",
		},
		{
			key: "maintenance", category: "product", title: "Planned maintenance on Sunday", inDays: 3,
			body: "Between 02:00 and 02:30 UTC some requests may be slow. Nothing is lost.",
		},
	}
}
