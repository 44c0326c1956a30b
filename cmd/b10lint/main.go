// Command b10lint finds, judges and revokes leaked Baseten API keys.
package main

import (
	"context"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"

	"github.com/b10lint/b10lint/cmd"
)

// The runtime collects garbage late while there is little, and all the more often
// from half of what a scan may take on (docs/performance.md): most of what is live
// are buffers that are used again and again.
const (
	gcPercent   = 400
	memoryLimit = 96 << 20
)

func tuneMemory() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(memoryLimit)
	}
}

func main() {
	tuneMemory()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	// The first signal asks for an orderly end; from then on a second one kills.
	context.AfterFunc(ctx, stop)
	os.Exit(cmd.Main(ctx, cmd.Env{
		Args: os.Args[1:], Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr,
		Lookup: os.LookupEnv, Environ: os.Environ,
	}))
}
