package api

// Category says what a message is about. People choose by category and channel what reaches them.
type Category string

// The categories. Security is locked: it cannot be turned off and cannot be sent by hand.
const (
	CategorySecurity  Category = "security"  // proving who you are, and what happens to your account
	CategoryAccount   Category = "account"   // what you should know about your account
	CategoryProduct   Category = "product"   // news of the product and what happens in it
	CategoryMarketing Category = "marketing" // offers and campaigns; off until a person turns it on
)

// Channel is a way to reach a person.
type Channel string

// The channels.
const (
	ChannelInApp Channel = "in_app"
	ChannelEmail Channel = "email"
)

// CategoryInfo is what holds for a category before anybody has chosen anything.
type CategoryInfo struct {
	Category Category
	Locked   bool // always delivered, whatever a person chooses
	Default  bool // delivered when a person has chosen nothing
}

// Categories lists all, in the order in which they are shown.
func Categories() []CategoryInfo {
	return []CategoryInfo{
		{Category: CategorySecurity, Locked: true, Default: true},
		{Category: CategoryAccount, Default: true},
		{Category: CategoryProduct, Default: true},
		{Category: CategoryMarketing},
	}
}

// Channels lists all, in the order in which they are shown.
func Channels() []Channel { return []Channel{ChannelInApp, ChannelEmail} }

// Info is what holds for this category; the second value is false for a category that does not exist.
func (c Category) Info() (CategoryInfo, bool) {
	for _, info := range Categories() {
		if info.Category == c {
			return info, true
		}
	}
	return CategoryInfo{}, false
}
