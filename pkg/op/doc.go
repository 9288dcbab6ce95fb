// Package op owns the one idea of Atrium's services: an operation is declared once, as a value, and everything else comes from it.
//
//	                   api.GetUser = op.Op[GetUserRequest, UserResponse]{…}
//	                                 │
//	    ┌──────────────┬─────────────┼───────────────┬─────────────────┐
//	 HTTP route     NATS subject   typed clients   OpenAPI 3.1     authorization
//	(huma + mux)  (request/reply)  (NATS, HTTP)    (Document)   (gateway and service)
//
// A method of the domain service is the implementation: [Handle] ties the two together behind one chain of go-kit middleware,
// the same for both transports, outermost first:
//
//	span → log line and metrics → recover → deadline → authenticate → authorize → decode and validate → implementation
//
// A panic becomes an Internal error inside the span and the log line, so that both tell of it. Authentication stands before validation, so that a stranger learns nothing about the shape of what he may not call.
package op
