// Command tool is the program that the tests of dockerops run in containers.
// It is static and needs nothing around it.
package main

import (
	"crypto/sha256"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

func main() {
	code, err := run(os.Args[1], os.Args[2:])
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 125
	}
	os.Exit(code)
}

func run(cmd string, args []string) (int, error) {
	switch cmd {
	case "cat": // stdin to stdout
		_, err := io.Copy(os.Stdout, os.Stdin)
		return 0, err
	case "id": // who and where
		wd, err := os.Getwd()
		fmt.Println(os.Getuid(), os.Getgid(), wd, os.Getenv("DOPS"))
		return 0, err
	case "idle": // until a signal
		ch := make(chan os.Signal, 1)
		signal.Notify(ch, syscall.SIGTERM, syscall.SIGINT)
		fmt.Println("ready")
		<-ch
		return 0, nil
	case "fail": // CODE: one line on each stream, then exit
		fmt.Println("out line")
		fmt.Fprintln(os.Stderr, "err line")
		return atoi(args[0]), nil
	case "flood": // N lines on each stream
		for i := range atoi(args[0]) {
			fmt.Println("out", i)
			fmt.Fprintln(os.Stderr, "err", i)
		}
		return 0, nil
	case "serve": // PATH: unix socket that echoes
		return 0, serve(args[0])
	case "tunnel": // PATH: stdin and stdout to a unix socket
		return 0, tunnel(args[0])
	case "put": // FILE TEXT
		return 0, os.WriteFile(args[0], []byte(args[1]), 0o600)
	case "root": // DIR UID GID MODE
		mode, err := strconv.ParseUint(args[3], 8, 32)
		if err != nil {
			return 0, err
		}
		if err := os.Chown(args[0], atoi(args[1]), atoi(args[2])); err != nil {
			return 0, err
		}
		return 0, os.Chmod(args[0], fs.FileMode(mode))
	case "tree": // DIR with parents
		return 0, os.MkdirAll(args[0], 0o755)
	case "link": // TARGET NAME
		return 0, os.Symlink(args[0], args[1])
	case "sum": // DIR: every file with mode, owner and hash
		return 0, sum(args[0])
	}
	return 0, fmt.Errorf("unknown command %s", cmd)
}

func atoi(s string) int {
	n, err := strconv.Atoi(s)
	if err != nil {
		panic(err)
	}
	return n
}

func serve(path string) error {
	l, err := net.Listen("unix", path)
	if err != nil {
		return err
	}
	for {
		c, err := l.Accept()
		if err != nil {
			return err
		}
		go func() {
			defer c.Close()
			io.Copy(c, c)
		}()
	}
}

func tunnel(path string) error {
	var c net.Conn
	var err error
	for range 50 {
		if c, err = net.Dial("unix", path); err == nil {
			break
		}
		time.Sleep(50 * time.Millisecond)
	}
	if err != nil {
		return err
	}
	fmt.Fprintln(os.Stderr, "tunnel open")
	go func() {
		io.Copy(c, os.Stdin)
		c.(*net.UnixConn).CloseWrite()
	}()
	_, err = io.Copy(os.Stdout, c)
	return err
}

func sum(dir string) error {
	return filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		fi, err := d.Info()
		if err != nil {
			return err
		}
		st := fi.Sys().(*syscall.Stat_t)
		line := []string{strings.TrimPrefix(p, dir), fi.Mode().String(), fmt.Sprint(st.Uid, " ", st.Gid)}
		if fi.Mode().IsRegular() {
			b, err := os.ReadFile(p)
			if err != nil {
				return err
			}
			line = append(line, fmt.Sprintf("%x %d", sha256.Sum256(b), st.Mtim.Nano()))
		}
		fmt.Println(strings.Join(line, " "))
		return nil
	})
}
