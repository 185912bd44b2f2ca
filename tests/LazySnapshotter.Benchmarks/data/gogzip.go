// gzip as Docker, containerd and BuildKit do it: Go's own compressor with its default level.
package main

import (
	"bufio"
	"compress/gzip"
	"io"
	"os"
)

func main() {
	out := bufio.NewWriter(os.Stdout)
	compressor := gzip.NewWriter(out)
	if _, err := io.Copy(compressor, bufio.NewReaderSize(os.Stdin, 1<<20)); err != nil {
		panic(err)
	}
	if err := compressor.Close(); err != nil {
		panic(err)
	}
	if err := out.Flush(); err != nil {
		panic(err)
	}
}
