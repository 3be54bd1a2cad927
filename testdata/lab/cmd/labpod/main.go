// Labpod is the one program in the lab's container images. Its first argument says
// how the container behaves.
package main

import (
	"fmt"
	"log"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"
)

func main() {
	mode := "pause"
	if len(os.Args) > 1 {
		mode = os.Args[1]
	}
	arg := func(i int, fallback string) string {
		if len(os.Args) > i {
			return os.Args[i]
		}
		return fallback
	}
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM, syscall.SIGINT)
	switch mode {
	case "pause":
		reap(stop)
	case "serve":
		serve(stop, arg(2, ":8080"))
	case "crash":
		crash(stop, duration(arg(2, "5s")))
	case "eat":
		eat(stop, duration(arg(2, "5s")))
	case "succeed":
		job(stop, duration(arg(2, "2s")), 0)
	case "fail":
		job(stop, duration(arg(2, "2s")), 1)
	case "write":
		write(stop, arg(2, "/data"))
	default:
		log.Fatalf("labpod: %q is not pause, serve, crash, eat, succeed, fail or write", mode)
	}
}

func duration(s string) time.Duration {
	d, err := time.ParseDuration(s)
	if err != nil {
		log.Fatalf("labpod: %v", err)
	}
	return d
}

// wait returns false when the container was told to stop first.
func wait(stop <-chan os.Signal, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-stop:
		return false
	case <-timer.C:
		return true
	}
}

// reap is what a pod's sandbox needs: the first process of its PID namespace.
func reap(stop <-chan os.Signal) {
	children := make(chan os.Signal, 1)
	signal.Notify(children, syscall.SIGCHLD)
	for {
		select {
		case <-stop:
			return
		case <-children:
			for {
				pid, err := syscall.Wait4(-1, nil, syscall.WNOHANG, nil)
				if pid <= 0 || err != nil {
					break
				}
			}
		}
	}
}

func serve(stop <-chan os.Signal, addr string) {
	name, _ := os.Hostname()
	http.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintf(w, "%s\n", name) })
	server := &http.Server{Addr: addr, ReadHeaderTimeout: 5 * time.Second}
	go func() {
		log.Printf("level=info msg=%q addr=%s", "listening", addr)
		if err := server.ListenAndServe(); err != nil {
			log.Fatal(err)
		}
	}()
	for wait(stop, 30*time.Second) {
		log.Printf("level=info msg=%q", "still here")
	}
}

func crash(stop <-chan os.Signal, after time.Duration) {
	log.Printf("level=info msg=%q", "connecting to the queue")
	if wait(stop, after) {
		log.Fatalf("level=error msg=%q err=%q", "cannot reach the queue", "dial tcp 10.43.7.7:5672: connect: connection refused")
	}
}

// eat writes to ever more memory: only touched pages count.
func eat(stop <-chan os.Signal, after time.Duration) {
	log.Printf("level=info msg=%q", "loading the index")
	if !wait(stop, after) {
		return
	}
	var held [][]byte
	for {
		chunk := make([]byte, 4<<20)
		for i := 0; i < len(chunk); i += 4096 {
			chunk[i] = 1
		}
		held = append(held, chunk)
		log.Printf("level=info msg=%q mib=%d", "index grows", 4*len(held))
		if !wait(stop, 100*time.Millisecond) {
			return
		}
	}
}

func job(stop <-chan os.Signal, takes time.Duration, code int) {
	log.Printf("level=info msg=%q", "dump started")
	wait(stop, takes)
	if code != 0 {
		log.Printf("level=error msg=%q err=%q", "upload failed", "530 Login incorrect")
	} else {
		log.Printf("level=info msg=%q", "dump uploaded")
	}
	os.Exit(code)
}

// write keeps some data on a volume, as a database would.
func write(stop <-chan os.Signal, dir string) {
	for {
		data := make([]byte, 1<<20)
		if err := os.WriteFile(filepath.Join(dir, "pages"), data, 0o600); err != nil {
			log.Printf("level=error msg=%q err=%q", "cannot write", err)
		}
		if !wait(stop, time.Minute) {
			return
		}
	}
}
