// Package person owns what people may say about themselves: a name, a locale and a time zone. Whatever brings such a value, a request, a
// message, an event, an import or a command line, it is made here, so that the same is true of it everywhere.
package person
