// Serves the files under a root, and nothing else: net/http's file server.
//
// usage: go-files ROOT ADDRESS:PORT
package main

import (
	"context"
	"log"
	"net/http"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	server := &http.Server{Addr: os.Args[2], Handler: http.FileServer(http.Dir(os.Args[1]))}
	terminated, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	go func() {
		<-terminated.Done()
		server.Close()
	}()
	if err := server.ListenAndServe(); err != http.ErrServerClosed {
		log.Fatal(err)
	}
}
