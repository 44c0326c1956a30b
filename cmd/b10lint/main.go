// Command b10lint finds, judges and revokes leaked Baseten API keys.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/b10lint/b10lint/cmd"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	// The first signal asks for an orderly end; from then on a second one kills.
	context.AfterFunc(ctx, stop)
	os.Exit(cmd.Main(ctx, cmd.Env{
		Args: os.Args[1:], Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr,
		Lookup: os.LookupEnv, Environ: os.Environ,
	}))
}
