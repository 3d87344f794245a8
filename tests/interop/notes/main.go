// Command notes reads, with code that clinledger's authors did not write, what clinledger writes;
// and writes what clinledger should read. It speaks JSON on standard input and output.
//
//	notes read   checks a checkpoint, its cosignatures, a policy and Merkle proofs
//	notes write  signs and cosigns a checkpoint
//	notes ask    is a log that asks a witness: `{"witness": vkey, "url": prefix}`
package main

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"

	formatslog "github.com/transparency-dev/formats/log"
	formats "github.com/transparency-dev/formats/note"
	"github.com/transparency-dev/formats/witness"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

func main() {
	commands := map[string]func() (any, error){"read": read, "write": write, "ask": ask}
	answer, err := commands[os.Args[1]]()
	if err == nil {
		err = json.NewEncoder(os.Stdout).Encode(answer)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

type readRequest struct {
	Note        []byte   `json:"note"`
	Log         string   `json:"log"`
	Cosigners   []string `json:"cosigners"`
	Policy      string   `json:"policy"`
	OldSize     int64    `json:"old_size"`
	OldRoot     []byte   `json:"old_root"`
	Consistency [][]byte `json:"consistency"`
	Index       int64    `json:"index"`
	Entry       []byte   `json:"entry"`
	Inclusion   [][]byte `json:"inclusion"`
}

type readAnswer struct {
	Origin     string  `json:"origin"`
	Size       uint64  `json:"size"`
	Root       []byte  `json:"root"`
	Signatures int     `json:"signatures"`
	Times      []int64 `json:"times"`
	Satisfied  bool    `json:"satisfied"`
}

func read() (any, error) {
	var request readRequest
	if err := json.NewDecoder(os.Stdin).Decode(&request); err != nil {
		return nil, err
	}
	verifier, err := note.NewVerifier(request.Log)
	if err != nil {
		return nil, err
	}
	var cosigners []note.Verifier
	for _, vkey := range request.Cosigners {
		cosigner, err := formats.NewVerifierForCosignatureV1(vkey)
		if err != nil {
			return nil, err
		}
		cosigners = append(cosigners, cosigner)
	}
	checkpoint, _, opened, err := formatslog.ParseCheckpoint(request.Note, verifier.Name(), verifier, cosigners...)
	if err != nil {
		return nil, err
	}
	if err := checkProofs(request, checkpoint); err != nil {
		return nil, err
	}
	answer := readAnswer{
		Origin: checkpoint.Origin, Size: checkpoint.Size, Root: checkpoint.Hash, Signatures: len(opened.Sigs),
	}
	for _, signature := range opened.Sigs[1:] {
		time, err := formats.CoSigV1Timestamp(signature)
		if err != nil {
			return nil, err
		}
		answer.Times = append(answer.Times, time.Unix())
	}
	group, err := witness.ParsePolicy([]byte(request.Policy))
	if err != nil {
		return nil, err
	}
	answer.Satisfied = group.Satisfied(request.Note)
	return answer, nil
}

func checkProofs(request readRequest, checkpoint *formatslog.Checkpoint) error {
	size, root := int64(checkpoint.Size), tlog.Hash(checkpoint.Hash)
	if err := tlog.CheckTree(hashes(request.Consistency), size, root, request.OldSize, tlog.Hash(request.OldRoot)); err != nil {
		return fmt.Errorf("consistency: %w", err)
	}
	leaf := tlog.RecordHash(request.Entry)
	if err := tlog.CheckRecord(hashes(request.Inclusion), size, root, request.Index, leaf); err != nil {
		return fmt.Errorf("inclusion: %w", err)
	}
	return nil
}

func hashes(values [][]byte) (proof []tlog.Hash) {
	for _, value := range values {
		proof = append(proof, tlog.Hash(value))
	}
	return proof
}

type written struct {
	Note    []byte `json:"note"`
	Log     string `json:"log"`
	Ed25519 string `json:"ed25519"`
	MLDSA44 string `json:"mldsa44"`
}

func write() (any, error) {
	logSecret, logKey, err := note.GenerateKey(rand.Reader, "go.example/log")
	if err != nil {
		return nil, err
	}
	logSigner, err := note.NewSigner(logSecret)
	if err != nil {
		return nil, err
	}
	edSecret, edKey, err := note.GenerateKey(rand.Reader, "go.example/witness")
	if err != nil {
		return nil, err
	}
	mlSecret, mlKey, err := formats.GenerateMLDSAKey("go.example/witness")
	if err != nil {
		return nil, err
	}
	if edKey, err = formats.VKeyToCosignatureV1(edKey); err != nil {
		return nil, err
	}
	signers := []note.Signer{logSigner}
	for _, secret := range []string{edSecret, mlSecret} {
		signer, err := formats.NewSignerForCosignatureV1(secret)
		if err != nil {
			return nil, err
		}
		signers = append(signers, signer)
	}
	root := tlog.RecordHash([]byte("entry"))
	text := formatslog.Checkpoint{Origin: "go.example/log", Size: 1, Hash: root[:]}.Marshal()
	signed, err := note.Sign(&note.Note{Text: string(text)}, signers...)
	return written{Note: signed, Log: logKey, Ed25519: edKey, MLDSA44: mlKey}, err
}

// tree is a log in memory.
type tree struct {
	signer note.Signer
	hashes []tlog.Hash
	size   int64
}

func (t *tree) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	found := make([]tlog.Hash, len(indexes))
	for i, index := range indexes {
		found[i] = t.hashes[index]
	}
	return found, nil
}

func (t *tree) grow(size int64, prefix string) error {
	for ; t.size < size; t.size++ {
		stored, err := tlog.StoredHashes(t.size, fmt.Appendf(nil, "%s%d", prefix, t.size), t)
		if err != nil {
			return err
		}
		t.hashes = append(t.hashes, stored...)
	}
	return nil
}

func (t *tree) checkpoint() ([]byte, error) {
	root, err := tlog.TreeHash(t.size, t)
	if err != nil {
		return nil, err
	}
	text := formatslog.Checkpoint{Origin: t.signer.Name(), Size: uint64(t.size), Hash: root[:]}.Marshal()
	return note.Sign(&note.Note{Text: string(text)}, t.signer)
}

type askRequest struct {
	Witness string `json:"witness"`
	URL     string `json:"url"`
	Secret  string `json:"secret"`
}

type asked struct {
	Status int    `json:"status"`
	Body   string `json:"body"`
}

func ask() (any, error) {
	var request askRequest
	if err := json.NewDecoder(os.Stdin).Decode(&request); err != nil {
		return nil, err
	}
	signer, err := note.NewSigner(request.Secret)
	if err != nil {
		return nil, err
	}
	verifier, err := formats.NewVerifierForCosignatureV1(request.Witness)
	if err != nil {
		return nil, err
	}
	honest, fork := &tree{signer: signer}, &tree{signer: signer}
	if err := fork.grow(400, "fork"); err != nil {
		return nil, err
	}
	var answers []asked
	old := int64(0)
	for _, size := range []int64{1, 2, 7, 8, 8, 255, 256, 257, 1000} {
		if err := honest.grow(size, ""); err != nil {
			return nil, err
		}
		answer, err := honest.post(request.URL, old, verifier)
		if err != nil {
			return nil, err
		}
		answers = append(answers, answer)
		old = size
	}
	stale, err := honest.post(request.URL, 8, verifier)
	if err != nil {
		return nil, err
	}
	if err := fork.grow(1200, "fork"); err != nil {
		return nil, err
	}
	forked, err := fork.post(request.URL, old, verifier)
	return append(answers, stale, forked), err
}

func (t *tree) post(prefix string, old int64, verifier note.Verifier) (asked, error) {
	signed, err := t.checkpoint()
	if err != nil {
		return asked{}, err
	}
	body := fmt.Appendf(nil, "old %d\n", old)
	if 0 < old && old < t.size {
		proof, err := tlog.ProveTree(t.size, old, t)
		if err != nil {
			return asked{}, err
		}
		for _, hash := range proof {
			body = fmt.Appendf(body, "%s\n", hash)
		}
	}
	body = append(append(body, '\n'), signed...)
	response, err := http.Post(prefix+"add-checkpoint", "text/plain", bytes.NewReader(body))
	if err != nil {
		return asked{}, err
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		return asked{}, err
	}
	if response.StatusCode == http.StatusOK {
		opened, err := note.Open(append(signed, answer...), note.VerifierList(verifier))
		if err != nil {
			return asked{}, err
		}
		if len(opened.Sigs) != 1 {
			return asked{}, errors.New("not one cosignature")
		}
	}
	return asked{Status: response.StatusCode, Body: string(answer)}, nil
}
