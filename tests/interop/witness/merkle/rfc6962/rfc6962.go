// Package rfc6962 names the only hash function there is here.
package rfc6962

import "crypto/sha256"

// Hasher stands for SHA-256 with the prefixes of RFC 6962.
type Hasher struct{}

// DefaultHasher is that one.
var DefaultHasher Hasher

// EmptyRoot is the root of a tree without entries.
func (Hasher) EmptyRoot() []byte {
	hash := sha256.Sum256(nil)
	return hash[:]
}
