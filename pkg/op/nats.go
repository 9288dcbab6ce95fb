package op

import (
	"context"
	"encoding/json"
	"fmt"
	"reflect"
	"runtime/debug"
	"sync"

	"github.com/nats-io/nats.go"

	"github.com/atrium-mesh/atrium/pkg/errs"
	"github.com/atrium-mesh/atrium/pkg/natsconn"
)

// ServeNATS subscribes every operation that has a subject, in the service's queue group, so that replicas share the requests. It can
// be called before the connection is up: subscriptions are made when it comes. Stop with [Server.StopNATS].
func (s *Server) ServeNATS(conn *nats.Conn) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range s.routes {
		if r.serve == nil {
			continue
		}
		sub, err := conn.QueueSubscribe(r.meta.Subject, s.service, func(msg *nats.Msg) { s.dispatch(r, msg) })
		if err != nil {
			return fmt.Errorf("subscribe %s: %w", r.meta.Subject, err)
		}
		s.subs = append(s.subs, sub)
	}
	return nil
}

// StopNATS takes no new requests and waits for those under way, or until ctx ends.
func (s *Server) StopNATS(ctx context.Context) error {
	s.mu.Lock()
	var drained sync.WaitGroup // what the server sent before it knew is handed out until then
	for _, sub := range s.subs {
		drained.Add(1)
		done := sync.OnceFunc(drained.Done)
		sub.SetClosedHandler(func(string) { done() })
		if sub.Drain() != nil { // only on a closed connection, which has no subscriptions any more
			done()
		}
	}
	s.subs = nil
	s.mu.Unlock()
	done := make(chan struct{})
	go func() { drained.Wait(); s.calls.Wait(); close(done) }()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// dispatch runs a request in a bounded pool. When the pool is full it says so at once: a caller's retry elsewhere is better than a
// queue nobody sees.
func (s *Server) dispatch(r route, msg *nats.Msg) {
	select {
	case s.slots <- struct{}{}:
	default:
		s.reply(context.Background(), msg, nil, errs.New(errs.Unavailable, codeOverloaded, "The service is at its limit; try again."))
		return
	}
	s.calls.Add(1)
	go func() {
		defer func() {
			if p := recover(); p != nil { // outside the chain: a fault of the kit, which must not take the process down
				s.logger.Error("panic outside the chain", "operation", r.meta.ID, "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
			}
			<-s.slots
			s.calls.Done()
		}()
		r.serve(context.Background(), msg)
	}()
}

func natsHandler[I, O any](s *Server, o Op[I, O], impl func(context.Context, *I) (*O, error)) func(context.Context, *nats.Msg) {
	meta, params, requests := o.Meta(), paramsOf(reflect.TypeFor[I]()), newInput[I]()
	return func(ctx context.Context, msg *nats.Msg) {
		in, undecoded := requests.decode(msg.Data)
		c := &call{
			meta:      meta,
			transport: "nats",
			trace:     natsconn.HeaderCarrier(msg.Header),
			budget:    budget(msg.Header.Get(headerBudget)),
			claimed: claimed{
				id:            msg.Header.Get(HeaderRequestID),
				ip:            msg.Header.Get(HeaderClientIP),
				agent:         msg.Header.Get(headerAgent),
				authorization: msg.Header.Get(headerAuth),
				service:       msg.Header.Get(HeaderService),
			},
			param: func(name string) string { return pathParam(reflect.ValueOf(in).Elem(), params, name) },
			run: func(ctx context.Context) (any, error) {
				if err := requests.validate(msg.Data, in, undecoded); err != nil {
					return nil, err
				}
				out, err := impl(ctx, in)
				if err != nil {
					return nil, settle(ctx, err)
				}
				return out, nil
			},
		}
		out, err := s.endpoint(ctx, c)
		s.reply(ctx, msg, out, err)
	}
}

func (s *Server) reply(ctx context.Context, msg *nats.Msg, out any, err error) {
	answer := nats.NewMsg(msg.Reply)
	if err == nil {
		answer.Data, err = json.Marshal(out)
	}
	if err != nil {
		answer.Data = nil
		answer.Header.Set(headerError, errs.Encode(err))
	}
	if msg.Reply == "" {
		return
	}
	if err := msg.RespondMsg(answer); err != nil {
		s.logger.WarnContext(ctx, "reply not sent", "error", err.Error())
	}
}
