package page

import (
	"fmt"
	"slices"
	"strings"

	"github.com/atrium-mesh/atrium/pkg/errs"
)

// Order is one field to sort by.
type Order struct {
	Field string
	Desc  bool
}

// ParseSort reads "-created_at,email": fields from allowed, each at most once, a minus for descending. Anything else is errs.Invalid
// on query.sort. An empty text is no order.
func ParseSort(text string, allowed ...string) ([]Order, error) {
	if text == "" {
		return nil, nil
	}
	var orders []Order
	for part := range strings.SplitSeq(text, ",") {
		field, desc := strings.CutPrefix(part, "-")
		twice := slices.ContainsFunc(orders, func(o Order) bool { return o.Field == field })
		if twice || !slices.Contains(allowed, field) {
			return nil, errs.InvalidField("query.sort", "unknown_sort", fmt.Sprintf(
				"must be a list of %s, each at most once, with a minus for descending", strings.Join(allowed, ", ")))
		}
		orders = append(orders, Order{Field: field, Desc: desc})
	}
	return orders, nil
}

// String is the text that ParseSort reads.
func (o Order) String() string {
	if o.Desc {
		return "-" + o.Field
	}
	return o.Field
}
