// Package events carries what happened in one service to the others: committed once, delivered in order, once in effect.
package events
