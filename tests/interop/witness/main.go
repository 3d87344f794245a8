// Command witness serves the public witness of transparency.dev, keeping its state in memory, to a
// log that clinledger writes. It prints its verification key and its URL, a line each, and serves
// until its standard input ends.
//
//	witness VKEY-OF-THE-LOG
package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"

	formats "github.com/transparency-dev/formats/note"
	"github.com/transparency-dev/witness/persistence/inmemory"
	"github.com/transparency-dev/witness/witness"
	"golang.org/x/mod/sumdb/note"
)

func main() {
	if err := serve(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func serve(log string) error {
	verifier, err := note.NewVerifier(log)
	if err != nil {
		return err
	}
	secret, public, err := note.GenerateKey(rand.Reader, "public.witness.example")
	if err != nil {
		return err
	}
	signer, err := formats.NewSignerForCosignatureV1(secret)
	if err != nil {
		return err
	}
	vkey, err := formats.VKeyToCosignatureV1(public)
	if err != nil {
		return err
	}
	w, err := witness.New(context.Background(), witness.Opts{
		Persistence: inmemory.New(),
		Signers:     []note.Signer{signer},
		VerifierForLog: func(_ context.Context, origin string) (note.Verifier, bool, error) {
			return verifier, origin == verifier.Name(), nil
		},
	})
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /add-checkpoint", witness.NewHTTPHandler(w).AddCheckpoint)
	go http.Serve(listener, mux)
	fmt.Printf("%s\nhttp://%s\n", vkey, listener.Addr())
	_, err = io.Copy(io.Discard, os.Stdin)
	return err
}
