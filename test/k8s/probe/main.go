// Command probe says what can be reached from where it runs, one finding a line, and "done" in the end:
//
//	probe -resolve atrium-gateway -get http://10.88.0.7:9090/metrics 10.88.0.7:9090 10.88.0.7:8080
//
//	listens 8080              a socket of its network namespace that others can reach; a pod's containers share one
//	resolved atrium-gateway   or "unresolved", and why
//	got 200 http://…          or "missed", and why
//	open 10.88.0.7:9090       or "closed"
//
// A test puts it into a pod, beside what runs there, to learn which connections the cluster's network lets through.
package main

import (
	"bufio"
	"context"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"
)

// within bounds each attempt. A policy refuses at once; where it drops packets instead, this is how long a closed port takes.
const within = 3 * time.Second

type texts []string

func (t *texts) String() string { return strings.Join(*t, ",") }

func (t *texts) Set(text string) error {
	*t = append(*t, text)
	return nil
}

func main() {
	var names, urls texts
	after := flag.Duration("after", 0, "how long to wait first: the cluster's firewall learns of a new pod a moment after it runs")
	flag.Var(&names, "resolve", "name to look up")
	flag.Var(&urls, "get", "URL to get")
	flag.Parse()
	<-time.After(*after)
	run(context.Background(), os.Stdout, names, urls, flag.Args())
}

// run finds everything out at the same time, and prints it in the order in which it was asked for.
func run(ctx context.Context, w io.Writer, names, urls, addresses []string) {
	for _, port := range listening("/proc/net/tcp", "/proc/net/tcp6") {
		fmt.Fprintf(w, "listens %d\n", port)
	}
	var wg sync.WaitGroup
	findings := make([]string, len(names)+len(urls)+len(addresses))
	each := func(at int, of []string, find func(context.Context, string) string) {
		for i, what := range of {
			wg.Go(func() {
				ctx, cancel := context.WithTimeout(ctx, within)
				defer cancel()
				findings[at+i] = find(ctx, what)
			})
		}
	}
	each(0, names, resolve)
	each(len(names), urls, get)
	each(len(names)+len(urls), addresses, dial)
	wg.Wait()
	for _, finding := range findings {
		fmt.Fprintln(w, finding)
	}
	fmt.Fprintln(w, "done")
}

func resolve(ctx context.Context, name string) string {
	if _, err := net.DefaultResolver.LookupHost(ctx, name); err != nil {
		return fmt.Sprintf("unresolved %s: %v", name, err)
	}
	return "resolved " + name
}

func get(ctx context.Context, url string) string {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return fmt.Sprintf("missed %s: %v", url, err)
	}
	answer, err := (&http.Client{Timeout: within}).Do(request)
	if err != nil {
		return fmt.Sprintf("missed %s: %v", url, err)
	}
	defer func() { _ = answer.Body.Close() }()
	return fmt.Sprintf("got %d %s", answer.StatusCode, url)
}

func dial(ctx context.Context, address string) string {
	connection, err := new(net.Dialer).DialContext(ctx, "tcp", address)
	if err != nil {
		return "closed " + address
	}
	_ = connection.Close()
	return "open " + address
}

// listening are the ports on which something takes TCP connections from elsewhere: the kernel's tables, without loopback.
// https://www.kernel.org/doc/html/latest/networking/proc_net_tcp.html
func listening(tables ...string) []uint64 {
	var ports []uint64
	for _, table := range tables {
		file, err := os.Open(table)
		if err != nil {
			continue
		}
		for lines := bufio.NewScanner(file); lines.Scan(); {
			if port, ok := listener(lines.Text()); ok {
				ports = append(ports, port)
			}
		}
		_ = file.Close()
	}
	return ports
}

// listener reads one line of a table: number, local address, remote address, state. 0A is LISTEN.
func listener(line string) (port uint64, ok bool) {
	fields := strings.Fields(line)
	if len(fields) < 4 || fields[3] != "0A" {
		return 0, false
	}
	address, hex, found := strings.Cut(fields[1], ":")
	loopback := address == "0100007F" || address == "00000000000000000000000001000000"
	port, err := strconv.ParseUint(hex, 16, 16)
	return port, found && err == nil && !loopback
}
