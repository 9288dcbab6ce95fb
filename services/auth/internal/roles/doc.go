// Package roles owns what people may do: roles, which are named sets of permissions, and who has which.
//
// Nobody can give what they do not hold, nor change what stronger people may do: package authority decides, and keeps an administrator who
// can sign in.
//
// A change is true at once. It raises the watermark of everybody concerned, so that tokens with the old scope are refused everywhere and
// clients refresh; sessions stay.
package roles
