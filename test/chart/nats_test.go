package chart_test

import (
	"context"
	"encoding/base64"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/require"

	"github.com/atrium-mesh/atrium/pkg/natsconn"
)

var meshServices = []string{"auth", "users", "notifications", "gateway"}

// startNATS runs a real server with the rendered nats.conf, and returns its URL.
func startNATS(t *testing.T, conf string) string {
	t.Helper()
	opts := natsOptions(t, conf)
	opts.Host, opts.Port, opts.HTTPPort, opts.PidFile, opts.StoreDir = "127.0.0.1", server.RANDOM_PORT, 0, "", t.TempDir()
	opts.NoLog, opts.NoSigs = true, true
	running, err := server.NewServer(opts)
	require.NoError(t, err)
	running.Start()
	t.Cleanup(func() {
		running.Shutdown()
		running.WaitForShutdown()
	})
	require.True(t, running.ReadyForConnections(30*time.Second))
	return running.ClientURL()
}

// natsOptions reads the configuration as the server does, with a secrets.conf beside it. POD_NAME takes the place of the
// environment, which tests share.
func natsOptions(t *testing.T, conf string) *server.Options {
	t.Helper()
	variables := ""
	for _, user := range append([]string{"cluster"}, meshServices...) {
		if name := "NATS_PASSWORD_" + strings.ToUpper(user); strings.Contains(conf, "$"+name) {
			variables += name + ": \"p" + user + "\"\n"
		}
	}
	for _, node := range []string{"0", "1", "2"} {
		if name := "NATS_ROUTE_" + node; strings.Contains(conf, "$"+name) {
			variables += name + ": \"nats-route://cluster:pcluster@atrium-nats-" + node + ".atrium-nats-headless:6222\"\n"
		}
	}
	root := t.TempDir()
	file := filepath.Join(root, "nats.conf")
	require.NoError(t, os.WriteFile(file, []byte("POD_NAME: test\n"+conf), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(root, "secrets.conf"), []byte(variables), 0o600))
	opts, err := server.ProcessConfigFile(file)
	require.NoError(t, err)
	return opts
}

func natsConf(t *testing.T, args ...string) string {
	t.Helper()
	conf := text(find(t, objects(t, []byte(render(t, "minimal", args...))), "ConfigMap", "atrium-nats"), "data", "nats.conf")
	require.NotEmpty(t, conf)
	return conf
}

// probe is one user of a server, asked what it may do.
type probe struct {
	t         *testing.T
	url, user string
}

func (p probe) connect() *nats.Conn {
	p.t.Helper()
	nc, err := nats.Connect(p.url, nats.UserInfo(p.user, "p"+p.user), nats.CustomInboxPrefix(natsconn.InboxPrefix(p.user)),
		nats.ErrorHandler(func(*nats.Conn, *nats.Subscription, error) {}))
	require.NoError(p.t, err)
	return nc
}

// may does something on a connection of its own, and reports whether the server allowed it.
func (p probe) may(do func(nc *nats.Conn) error) bool {
	p.t.Helper()
	nc := p.connect()
	defer nc.Close()
	require.NoError(p.t, do(nc))
	require.NoError(p.t, nc.Flush())
	return nc.LastError() == nil
}

func (p probe) mayPublish(subject string) bool {
	p.t.Helper()
	return p.may(func(nc *nats.Conn) error { return nc.Publish(subject, nil) })
}

func (p probe) maySubscribe(subject, queue string) bool {
	p.t.Helper()
	return p.may(func(nc *nats.Conn) error {
		_, err := nc.QueueSubscribe(subject, queue, func(*nats.Msg) {})
		return err
	})
}

// TestNATSPermissions asks a real server, for every user: every operation and event that the mesh declares, and what nobody may. What the
// sources say that a service calls and consumes is what it must be allowed, and nothing else.
func TestNATSPermissions(t *testing.T) {
	t.Parallel()
	url, mesh := startNATS(t, natsConf(t)), readMesh(t)
	for _, user := range meshServices {
		t.Run(user, func(t *testing.T) {
			t.Parallel()
			p := probe{t: t, url: url, user: user}
			for subject := range mesh.operations {
				require.Equal(t, mesh.calls[user][subject], p.mayPublish(subject), "%s calls %s", user, subject)
				own := strings.HasPrefix(subject, "rpc."+user+".")
				require.Equal(t, own, p.maySubscribe(subject, user), "%s answers %s", user, subject)
				require.False(t, p.maySubscribe(subject, ""), "%s listens to %s outside of the queue group", user, subject)
			}
			for typeName := range mesh.events {
				own := strings.HasPrefix(typeName, user+".")
				require.Equal(t, own, p.mayPublish("events."+typeName), "%s publishes %s", user, typeName)
				announced := typeName == "auth.watermark.raised.v1"
				require.Equal(t, announced, p.maySubscribe("events."+typeName, ""), "%s listens to %s", user, typeName)
			}
			for _, other := range meshServices {
				require.Equal(t, other == user, p.maySubscribe(natsconn.InboxPrefix(other)+".>", ""), "%s reads the inbox of %s", user, other)
				require.False(t, p.mayPublish(natsconn.InboxPrefix(other)+".x"), "%s writes into the inbox of %s unasked", user, other)
			}
			live := user == "notifications"
			require.Equal(t, live, p.mayPublish("live.notifications.0198c0de-0000-7000-8000-000000000001"))
			require.Equal(t, live, p.maySubscribe("live.notifications.0198c0de-0000-7000-8000-000000000001", ""))
			for _, subject := range []string{">", "events.>", "rpc.>", "$JS.>", "$SYS.>", "_INBOX.>"} {
				require.False(t, p.maySubscribe(subject, ""), "%s subscribes %s", user, subject)
			}
			for _, stream := range []string{"AUTH", "USERS", "NOTIFICATIONS"} {
				for _, change := range []string{"CREATE", "UPDATE"} {
					require.Equal(t, user == "auth", p.mayPublish("$JS.API.STREAM."+change+"."+stream), "%s: %s %s", user, change, stream)
				}
			}
			for _, subject := range []string{
				"$JS.API.STREAM.DELETE.AUTH", "$JS.API.STREAM.PURGE.AUTH", "$JS.API.STREAM.DELETE." + strings.ToUpper(user),
				"$JS.API.STREAM.CREATE.OTHER", "$JS.API.STREAM.NAMES", "$JS.API.CONSUMER.DELETE.AUTH." + user,
				"$JS.API.CONSUMER.CREATE.AUTH.somebody", "$JS.API.DIRECT.GET.AUTH", "$SYS.REQ.SERVER.PING", "x",
			} {
				require.False(t, p.mayPublish(subject), "%s publishes %s", user, subject)
			}
		})
	}
}

// TestNATSStreams does with the rendered permissions what relays and consumers do: own streams, others' events, answers.
func TestNATSStreams(t *testing.T) {
	t.Parallel()
	url, mesh := startNATS(t, natsConf(t)), readMesh(t)
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	streams := map[string]jetstream.JetStream{}
	for _, user := range meshServices { // auth comes first, which makes them all
		nc := probe{t: t, url: url, user: user}.connect()
		t.Cleanup(nc.Close)
		js, err := jetstream.New(nc)
		require.NoError(t, err)
		streams[user] = js
		if user == "gateway" {
			_, err := natsconn.EnsureStream(short(t), js, natsconn.StreamConfig{Name: "GATEWAY", Subjects: []string{"events.gateway.>"}})
			require.Error(t, err, "the gateway has no stream")
			continue
		}
		if user == "auth" {
			for _, name := range []string{"auth", "users", "notifications"} {
				_, err = natsconn.EnsureStream(ctx, js, natsconn.StreamConfig{Name: strings.ToUpper(name), Subjects: []string{"events." + name + ".>"}})
				require.NoError(t, err, name)
			}
		}
		_, err = natsconn.EnsureStream(ctx, js, natsconn.StreamConfig{Name: strings.ToUpper(user), Subjects: []string{"events." + user + ".>"}})
		require.NoError(t, err, "%s finds its stream", user)
		_, err = js.Publish(ctx, "events."+user+".test.happened.v1", []byte("{}"))
		require.NoError(t, err, user)
	}
	for user, js := range streams {
		for _, producer := range []string{"auth", "users", "notifications"} {
			stream := strings.ToUpper(producer)
			config := jetstream.ConsumerConfig{Durable: user, FilterSubjects: []string{"events." + producer + ".>"}, AckPolicy: jetstream.AckExplicitPolicy}
			if !mesh.consumes[user][producer] {
				_, err := js.CreateOrUpdateConsumer(short(t), stream, config)
				require.Error(t, err, "%s consumes %s", user, stream)
				continue
			}
			cons, err := js.CreateOrUpdateConsumer(ctx, stream, config)
			require.NoError(t, err, "%s consumes %s", user, stream)
			for range 2 { // once, and again after a reset
				batch, err := cons.Fetch(1)
				require.NoError(t, err)
				require.Len(t, slices.Collect(messages(batch)), 1, "%s gets what %s tells", user, producer)
				_, err = js.ResetConsumer(ctx, stream, user)
				require.NoError(t, err)
			}
			batch, err := cons.Fetch(1)
			require.NoError(t, err)
			for msg := range messages(batch) {
				require.NoError(t, msg.DoubleAck(ctx))
			}
			info, err := cons.Info(ctx)
			require.NoError(t, err)
			require.Zero(t, info.NumAckPending)
		}
	}
}

// TestNATSAnswers calls an operation as the gateway, which auth answers, as it may do once it was asked.
func TestNATSAnswers(t *testing.T) {
	t.Parallel()
	url := startNATS(t, natsConf(t))
	answering, asking := probe{t: t, url: url, user: "auth"}.connect(), probe{t: t, url: url, user: "gateway"}.connect()
	t.Cleanup(answering.Close)
	t.Cleanup(asking.Close)
	_, err := answering.QueueSubscribe("rpc.auth.list-watermarks", "auth", func(msg *nats.Msg) { _ = msg.Respond([]byte("yes")) })
	require.NoError(t, err)
	require.NoError(t, answering.Flush())
	answer, err := asking.RequestWithContext(short(t), "rpc.auth.list-watermarks", nil)
	require.NoError(t, err)
	require.Equal(t, "yes", string(answer.Data))
}

// TestNATSSecrets lets nats-server read what the pod mounts: the rendered secrets.conf has each password that nats.conf uses, and none
// besides, which nats-server would refuse; and they are those of the services.
func TestNATSSecrets(t *testing.T) {
	t.Parallel()
	for _, replicas := range []int{1, 3} {
		all := objects(t, []byte(render(t, "minimal", fmt.Sprint("--set=nats.bundled.replicas=", replicas))))
		root := t.TempDir()
		file := filepath.Join(root, "nats.conf")
		conf := "POD_NAME: test\n" + text(find(t, all, "ConfigMap", "atrium-nats"), "data", "nats.conf")
		require.NoError(t, os.WriteFile(file, []byte(conf), 0o600))
		require.NoError(t, os.WriteFile(filepath.Join(root, "secrets.conf"), []byte(secretOf(t, all, "atrium-nats", "secrets.conf")), 0o600))
		opts, err := server.ProcessConfigFile(file)
		require.NoError(t, err)
		require.Len(t, opts.Users, len(meshServices))
		for _, user := range opts.Users {
			require.Equal(t, secretOf(t, all, "atrium-"+user.Username, "nats-password"), user.Password)
			require.Len(t, user.Password, 32)
		}
		if replicas == 1 {
			continue
		}
		require.Len(t, opts.Routes, replicas)
		for i, route := range opts.Routes {
			password, _ := route.User.Password()
			require.Equal(t, opts.Cluster.Password, password)
			require.Equal(t, fmt.Sprintf("atrium-nats-%d.atrium-nats-headless:6222", i), route.Host)
		}
	}
}

// secretOf is one value of a rendered Secret.
func secretOf(t *testing.T, all []map[string]any, name, key string) string {
	t.Helper()
	plain, err := base64.StdEncoding.DecodeString(text(find(t, all, "Secret", name), "data", key))
	require.NoError(t, err)
	require.NotEmpty(t, plain, "%s of %s", key, name)
	return string(plain)
}

// TestNATSPasswords lets nobody in without one.
func TestNATSPasswords(t *testing.T) {
	t.Parallel()
	url := startNATS(t, natsConf(t))
	for _, opts := range [][]nats.Option{nil, {nats.UserInfo("auth", "")}, {nats.UserInfo("auth", "pusers")}, {nats.UserInfo("admin", "padmin")}} {
		_, err := nats.Connect(url, opts...)
		require.ErrorIs(t, err, nats.ErrAuthorization)
	}
}

// TestNATSCluster reads the configuration of three nodes: routes with a password, of nodes with certificates.
func TestNATSCluster(t *testing.T) {
	t.Parallel()
	opts := natsOptions(t, natsConf(t, "--set=nats.bundled.replicas=3"))
	require.Len(t, opts.Routes, 3)
	require.Equal(t, "pcluster", opts.Cluster.Password)
	require.True(t, opts.Cluster.NoAdvertise)
	require.EqualValues(t, 5<<30, opts.JetStreamMaxStore)
	require.Contains(t, natsConf(t, "--set=nats.bundled.replicas=3,tls.mode=generated"), "verify: true")
}

func short(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	t.Cleanup(cancel)
	return ctx
}

func messages(batch jetstream.MessageBatch) func(yield func(jetstream.Msg) bool) {
	return func(yield func(jetstream.Msg) bool) {
		for msg := range batch.Messages() {
			if !yield(msg) {
				return
			}
		}
	}
}
