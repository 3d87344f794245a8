// Package proof lets golang.org/x/mod/sumdb/tlog check the proofs that the public witness is sent.
//
// The witness asks for a version of github.com/transparency-dev/merkle that proxies of modules do
// not serve everywhere. This takes its place: still code that clinledger's authors did not write.
package proof

import (
	"errors"
	"fmt"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/transparency-dev/merkle/rfc6962"
)

// VerifyConsistency checks that a tree continues another one.
func VerifyConsistency(_ rfc6962.Hasher, old, size uint64, hashes [][]byte, oldRoot, root []byte) error {
	if old == size {
		if len(hashes) > 0 || string(oldRoot) != string(root) {
			return errors.New("not the same tree")
		}
		return nil
	}
	proof := make(tlog.TreeProof, len(hashes))
	for place, hash := range hashes {
		if copy(proof[place][:], hash) != tlog.HashSize || len(hash) != tlog.HashSize {
			return fmt.Errorf("hash %d has %d bytes", place, len(hash))
		}
	}
	return tlog.CheckTree(proof, int64(size), tlog.Hash(root), int64(old), tlog.Hash(oldRoot))
}

// VerifySubtreeConsistency is for signing subtrees, which is not asked of the witness here.
func VerifySubtreeConsistency(_ rfc6962.Hasher, _, _, _ uint64, _ [][]byte, _, _ []byte) error {
	return errors.ErrUnsupported
}
