package cli

// painter colours text for a terminal, or leaves it as it is.
type painter struct{ on bool }

func (p painter) wrap(code, text string) string {
	if !p.on {
		return text
	}
	return "\x1b[" + code + "m" + text + "\x1b[0m"
}

func (p painter) bold(text string) string   { return p.wrap("1", text) }
func (p painter) dim(text string) string    { return p.wrap("2", text) }
func (p painter) red(text string) string    { return p.wrap("31", text) }
func (p painter) green(text string) string  { return p.wrap("32", text) }
func (p painter) yellow(text string) string { return p.wrap("33", text) }
func (p painter) link(text string) string   { return p.wrap("36", text) }
