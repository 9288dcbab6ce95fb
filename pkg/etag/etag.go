// Package etag owns the versions that clients see: an ETag is a row's version, and If-Match says which version a change is meant for
// (RFC 9110 section 13.1.1).
package etag

import (
	"strconv"
	"strings"

	"github.com/atrium-mesh/atrium/pkg/errs"
)

// Of is the strong entity tag of a version.
func Of(version int64) string { return `"` + strconv.FormatInt(version, 10) + `"` }

const longest = 1024 // bytes of an If-Match that are read

// Check is nil when a change with this If-Match may be made to this version: when the field is empty, is *, or lists the version.
// A weak tag never matches. It answers errs.Precondition "version_conflict".
func Check(ifMatch string, version int64) error {
	if ifMatch == "" || strings.TrimSpace(ifMatch) == "*" {
		return nil
	}
	if len(ifMatch) <= longest { // a list of more tags than anybody has seen names no version
		of := Of(version)
		for tag := range strings.SplitSeq(ifMatch, ",") {
			if strings.TrimSpace(tag) == of {
				return nil
			}
		}
	}
	return errs.New(errs.Precondition, "version_conflict", "It was changed in the meantime: read it again, and repeat the change with its new ETag.")
}
