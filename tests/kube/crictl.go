// SPDX-License-Identifier: MIT
//
// A stand-in for crictl, which no Debian 12 package has. It does only what kubeadm 1.20 and our
// tests ask of the real one, but truly through the runtime's CRI socket (v1alpha2, the version
// that kubelet 1.20 speaks), so a pull obeys /etc/containerd/certs.d as kubelet's pulls do.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"net"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"google.golang.org/grpc"
	cri "k8s.io/cri-api/pkg/apis/runtime/v1alpha2"
)

const (
	connectLimit = 10 * time.Second
	maxMessage   = 16 << 20
)

type call struct {
	context.Context
	runtime cri.RuntimeServiceClient
	images  cri.ImageServiceClient
	args    []string
	quiet   bool
	all     bool
}

type command struct {
	name   string
	nArgs  int // -1: one or more
	limit  time.Duration
	run    func(c call) error
	syntax string
}

var commands = []command{
	{"version", 0, time.Minute, version, "version"},
	{"info", 0, time.Minute, info, "info"},
	{"images", 0, time.Minute, listImages, "images [-q]"},
	{"inspecti", 1, time.Minute, inspectImage, "inspecti IMAGE"},
	{"pull", 1, 10 * time.Minute, pull, "pull IMAGE"},
	{"pods", 0, time.Minute, listPods, "pods [-q]"},
	{"ps", 0, time.Minute, listContainers, "ps [-a] [-q]"},
	{"stopp", -1, 3 * time.Minute, stopPods, "stopp POD..."},
	{"rmp", -1, 3 * time.Minute, removePods, "rmp POD..."},
}

func version(c call) error {
	r, err := c.runtime.Version(c, &cri.VersionRequest{})
	if err != nil {
		return err
	}
	fmt.Printf("Version:  %s\nRuntimeName:  %s\nRuntimeVersion:  %s\nRuntimeApiVersion:  %s\n",
		r.GetVersion(), r.GetRuntimeName(), r.GetRuntimeVersion(), r.GetRuntimeApiVersion())
	return nil
}

type condition struct {
	Type    string `json:"type"`
	Status  bool   `json:"status"`
	Reason  string `json:"reason"`
	Message string `json:"message"`
}

func info(c call) error {
	r, err := c.runtime.Status(c, &cri.StatusRequest{Verbose: true})
	if err != nil {
		return err
	}
	conditions := []condition{}
	for _, d := range r.GetStatus().GetConditions() {
		conditions = append(conditions, condition{d.Type, d.Status, d.Reason, d.Message})
	}
	out := map[string]interface{}{"status": map[string]interface{}{"conditions": conditions}}
	addInfo(out, r.GetInfo())
	return printJSON(out)
}

type image struct {
	ID      string   `json:"id"`
	Tags    []string `json:"repoTags"`
	Digests []string `json:"repoDigests"`
	Size    string   `json:"size"`
}

func inspectImage(c call) error {
	r, err := c.images.ImageStatus(c,
		&cri.ImageStatusRequest{Image: &cri.ImageSpec{Image: c.args[0]}, Verbose: true})
	if err != nil {
		return err
	}
	i := r.GetImage()
	if i == nil {
		return fmt.Errorf("no such image %q present", c.args[0])
	}
	out := map[string]interface{}{
		"status": image{i.Id, list(i.RepoTags), list(i.RepoDigests), fmt.Sprint(i.GetSize_())},
	}
	addInfo(out, r.GetInfo())
	return printJSON(out)
}

func listImages(c call) error {
	r, err := c.images.ListImages(c, &cri.ListImagesRequest{})
	if err != nil {
		return err
	}
	t := newTable(c.quiet, "IMAGE", "IMAGE ID", "SIZE")
	for _, i := range r.GetImages() {
		tags := i.RepoTags
		if len(tags) == 0 || c.quiet {
			tags = []string{strings.Join(i.RepoDigests, " ")}
		}
		for _, tag := range tags {
			t.row(i.Id, tag, i.Id, fmt.Sprint(i.GetSize_()))
		}
	}
	return t.Flush()
}

// list makes JSON show [] where there is nothing.
func list(s []string) []string { return append([]string{}, s...) }

func pull(c call) error {
	r, err := c.images.PullImage(c, &cri.PullImageRequest{Image: &cri.ImageSpec{Image: c.args[0]}})
	if err != nil {
		return err
	}
	fmt.Printf("Image is up to date for %s\n", r.GetImageRef())
	return nil
}

func listPods(c call) error {
	r, err := c.runtime.ListPodSandbox(c, &cri.ListPodSandboxRequest{})
	if err != nil {
		return err
	}
	t := newTable(c.quiet, "POD ID", "CREATED", "STATE", "NAME", "NAMESPACE", "ATTEMPT")
	for _, p := range r.GetItems() {
		m := p.GetMetadata()
		t.row(p.Id, p.Id, date(p.CreatedAt), strings.TrimPrefix(p.State.String(), "SANDBOX_"),
			m.GetName(), m.GetNamespace(), fmt.Sprint(m.GetAttempt()))
	}
	return t.Flush()
}

func listContainers(c call) error {
	request := &cri.ListContainersRequest{}
	if !c.all {
		request.Filter = &cri.ContainerFilter{
			State: &cri.ContainerStateValue{State: cri.ContainerState_CONTAINER_RUNNING}}
	}
	r, err := c.runtime.ListContainers(c, request)
	if err != nil {
		return err
	}
	t := newTable(c.quiet, "CONTAINER", "IMAGE", "CREATED", "STATE", "NAME", "ATTEMPT", "POD ID")
	for _, d := range r.GetContainers() {
		m := d.GetMetadata()
		t.row(d.Id, d.Id, d.GetImage().GetImage(), date(d.CreatedAt),
			strings.TrimPrefix(d.State.String(), "CONTAINER_"), m.GetName(),
			fmt.Sprint(m.GetAttempt()), d.PodSandboxId)
	}
	return t.Flush()
}

func stopPods(c call) error {
	return each(c.args, "Stopped", func(id string) error {
		_, err := c.runtime.StopPodSandbox(c, &cri.StopPodSandboxRequest{PodSandboxId: id})
		return err
	})
}

func removePods(c call) error {
	return each(c.args, "Removed", func(id string) error {
		_, err := c.runtime.RemovePodSandbox(c, &cri.RemovePodSandboxRequest{PodSandboxId: id})
		return err
	})
}

func each(ids []string, done string, act func(id string) error) error {
	for _, id := range ids {
		if err := act(id); err != nil {
			return fmt.Errorf("pod %s: %w", id, err)
		}
		fmt.Printf("%s sandbox %s\n", done, id)
	}
	return nil
}

// addInfo adds what a verbose answer holds, most of it JSON in strings.
func addInfo(out map[string]interface{}, info map[string]string) {
	for key, value := range info {
		if json.Valid([]byte(value)) {
			out[key] = json.RawMessage(value)
		} else {
			out[key] = value
		}
	}
}

func printJSON(value interface{}) error {
	e := json.NewEncoder(os.Stdout)
	e.SetIndent("", "  ")
	return e.Encode(value)
}

type table struct {
	*tabwriter.Writer
	quiet bool
}

func newTable(quiet bool, columns ...string) table {
	t := table{tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0), quiet}
	if !quiet {
		fmt.Fprintln(t, strings.Join(columns, "\t"))
	}
	return t
}

func (t table) row(id string, columns ...string) {
	if t.quiet {
		columns = []string{id}
	}
	fmt.Fprintln(t, strings.Join(columns, "\t"))
}

func date(nanoseconds int64) string {
	return time.Unix(0, nanoseconds).UTC().Format(time.RFC3339)
}

func connect(endpoint string) (*grpc.ClientConn, error) {
	path := strings.TrimPrefix(endpoint, "unix://")
	ctx, cancel := context.WithTimeout(context.Background(), connectLimit)
	defer cancel()
	dial := func(ctx context.Context, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", path)
	}
	c, err := grpc.DialContext(ctx, "localhost", grpc.WithInsecure(), grpc.WithBlock(),
		grpc.FailOnNonTempDialError(true), grpc.WithContextDialer(dial),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(maxMessage)))
	if err != nil {
		return nil, fmt.Errorf("connect %s: %w", path, err)
	}
	return c, nil
}

func execute(cmd command, endpoint string, c call) error {
	connection, err := connect(endpoint)
	if err != nil {
		return err
	}
	defer connection.Close()
	ctx, cancel := context.WithTimeout(context.Background(), cmd.limit)
	defer cancel()
	c.Context = ctx
	c.runtime = cri.NewRuntimeServiceClient(connection)
	c.images = cri.NewImageServiceClient(connection)
	return cmd.run(c)
}

func find(name string) (command, bool) {
	for _, c := range commands {
		if c.name == name {
			return c, true
		}
	}
	return command{}, false
}

func usage() {
	fmt.Fprintln(os.Stderr, "crictl (test stand-in) [-r SOCKET] COMMAND, one of:")
	for _, c := range commands {
		fmt.Fprintln(os.Stderr, "  "+c.syntax)
	}
}

func main() {
	endpoint := "unix:///run/containerd/containerd.sock"
	if e := os.Getenv("CONTAINER_RUNTIME_ENDPOINT"); e != "" {
		endpoint = e
	}
	global := flag.NewFlagSet("crictl", flag.ContinueOnError)
	global.Usage = usage
	global.StringVar(&endpoint, "r", endpoint, "")
	global.StringVar(&endpoint, "runtime-endpoint", endpoint, "")
	if global.Parse(os.Args[1:]) != nil {
		os.Exit(1)
	}
	cmd, ok := find(global.Arg(0))
	if !ok {
		fmt.Fprintf(os.Stderr, "crictl: this stand-in has no command %q\n", global.Arg(0))
		usage()
		os.Exit(1)
	}
	c := call{}
	local := flag.NewFlagSet(cmd.name, flag.ContinueOnError)
	local.Usage = usage
	for _, name := range []string{"q", "quiet"} {
		local.BoolVar(&c.quiet, name, false, "")
	}
	for _, name := range []string{"a", "all"} {
		local.BoolVar(&c.all, name, false, "")
	}
	if local.Parse(global.Args()[1:]) != nil {
		os.Exit(1)
	}
	c.args = local.Args()
	if (cmd.nArgs >= 0 && len(c.args) != cmd.nArgs) || (cmd.nArgs < 0 && len(c.args) == 0) {
		fmt.Fprintf(os.Stderr, "crictl: usage: %s\n", cmd.syntax)
		os.Exit(1)
	}
	if err := execute(cmd, endpoint, c); err != nil {
		fmt.Fprintf(os.Stderr, "crictl: %s: %v\n", cmd.name, err)
		os.Exit(1)
	}
}
