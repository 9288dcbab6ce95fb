// Package api is the public contract of notifications: its operations, their requests and responses, and its events. It is the only
// package of the service that others import.
package api

import "github.com/atrium-mesh/atrium/pkg/op"

// Operations lists every operation of the service.
func Operations() []op.Declared {
	return []op.Declared{
		ListNotifications, ListUserNotifications, CountUnread, ReadNotification, ReadAllNotifications, StreamNotifications,
		CreateStreamTicket, RedeemStreamTicket,
		SendNotification, GetSend, CancelSend,
		GetPreferences, PutPreferences, Unsubscribe, UnsubscribePage,
		ListDeliveries, GetDelivery, ReplayDelivery,
	}
}
