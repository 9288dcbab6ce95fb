// Package devices owns what a device is called: "Firefox on Linux", from the User-Agent field of a request.
//
// The name is for people, who tell their own devices from a stranger's by it, also in mails. The field is written by whoever calls, so
// that a name is put together of words known here; of an unknown program only a short, plain product name is taken over.
package devices

import (
	"regexp"
	"strings"
)

// Unknown is the name of a device that says nothing of itself.
const Unknown = "Unknown device"

// mark is a piece of text that only the User-Agent of one thing has.
type mark struct{ text, name string }

// browsers are in the order in which they must be looked for: nearly all say Chrome and Safari, too.
var browsers = [...]mark{
	{"Edg/", "Edge"},
	{"EdgA/", "Edge"},
	{"EdgiOS/", "Edge"},
	{"OPR/", "Opera"},
	{"OPiOS/", "Opera"},
	{"OPT/", "Opera"},
	{"SamsungBrowser/", "Samsung Internet"},
	{"Vivaldi/", "Vivaldi"},
	{"YaBrowser/", "Yandex Browser"},
	{"DuckDuckGo/", "DuckDuckGo"},
	{"Ddg/", "DuckDuckGo"},
	{"HuaweiBrowser/", "Huawei Browser"},
	{"UCBrowser/", "UC Browser"},
	{"Brave/", "Brave"},
	{"FxiOS/", "Firefox"},
	{"Focus/", "Firefox Focus"},
	{"Firefox/", "Firefox"},
	{"CriOS/", "Chrome"},
	{"GSA/", "Google app"},
	{"HeadlessChrome/", "Headless Chrome"},
	{"Electron/", "Desktop app"},
	{"Chromium/", "Chromium"},
	{"Chrome/", "Chrome"},
	{"Trident/", "Internet Explorer"},
	{"MSIE ", "Internet Explorer"},
	{"Safari/", "Safari"},
}

// systems are in the order in which they must be looked for: an iPhone says Mac OS X, too, and Android says Linux.
var systems = [...]mark{
	{"iPhone", "iPhone"},
	{"iPad", "iPad"},
	{"iPod", "iPod"},
	{"Android", "Android"},
	{"HarmonyOS", "HarmonyOS"},
	{"CrOS", "ChromeOS"},
	{"Windows Phone", "Windows Phone"},
	{"Windows", "Windows"},
	{"Macintosh", "macOS"},
	{"Mac OS X", "macOS"},
	{"Darwin/", "macOS"},
	{"FreeBSD", "FreeBSD"},
	{"OpenBSD", "OpenBSD"},
	{"Linux", "Linux"},
	{"X11", "Unix"},
}

// programs are products of which people know another name than the one in the field.
var programs = map[string]string{
	"go-http-client": "Go program", "python-requests": "Python program", "python-httpx": "Python program", "python-urllib": "Python program", "aiohttp": "Python program",
	"okhttp": "Android app", "cfnetwork": "Apple app", "dart": "Flutter app", "java": "Java program", "apache-httpclient": "Java program", "axios": "Node.js program",
	"node": "Node.js program", "node-fetch": "Node.js program", "undici": "Node.js program", "postmanruntime": "Postman", "insomnia": "Insomnia", "wget": "Wget", "httpie": "HTTPie",
	"curl": "curl", "atrium": "Atrium CLI",
}

var product = regexp.MustCompile(`^([A-Za-z][A-Za-z0-9_.-]{0,29})(?:/|$| )`)

// longest is how many bytes of a User-Agent are read: each is looked through for some forty marks.
const longest = 512

// Name is a short name of the device with this User-Agent, for people. It has at most 60 characters, all of them printable.
func Name(userAgent string) string {
	if len(userAgent) > longest {
		userAgent = userAgent[:longest]
	}
	userAgent = strings.TrimSpace(userAgent)
	system := first(systems[:], userAgent)
	if strings.HasPrefix(userAgent, "Mozilla/") || strings.HasPrefix(userAgent, "Opera/") {
		return browserOn(first(browsers[:], userAgent), system)
	}
	found := product.FindStringSubmatch(userAgent)
	if found == nil {
		return Unknown
	}
	name, known := programs[strings.ToLower(found[1])]
	if !known {
		name = plain(found[1])
	}
	if system == "" || name == Unknown {
		return name
	}
	return name + " on " + system
}

func browserOn(browser, system string) string {
	switch {
	case browser == "" && system == "":
		return Unknown
	case browser == "":
		return "App on " + system
	case system == "":
		return browser
	default:
		return browser + " on " + system
	}
}

// plain is a product's name, unless it looks like an address, which a mail program would make a link of.
func plain(name string) string {
	if name = strings.Trim(name, ".-_"); strings.Contains(name, ".") || name == "" {
		return Unknown
	}
	return name
}

func first(marks []mark, userAgent string) string {
	for _, m := range marks {
		if strings.Contains(userAgent, m.text) {
			return m.name
		}
	}
	return ""
}
