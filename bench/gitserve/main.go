// Gitserve serves the repositories below a folder with git http-backend on loopback,
// for the scripts of this folder: gitserve FOLDER prints the address it listens on.
package main

import (
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"path/filepath"

	"github.com/b10lint/b10lint/internal/gittest"
)

func main() {
	root, err := filepath.Abs(os.Args[1])
	if err != nil {
		log.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("http://" + l.Addr().String())
	log.Fatal(http.Serve(l, gittest.Backend(root))) // #nosec: for benchmarks
}
