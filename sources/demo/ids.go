package demo

import (
	"encoding/binary"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"sync"

	"k8s.io/apimachinery/pkg/types"
)

// idSource makes names and UIDs that look random and depend only on the seed
// and on how many were made before.
type idSource struct {
	mu  sync.Mutex
	rng *rand.Rand
}

func newIDs(seed uint64) *idSource {
	return &idSource{rng: rand.New(rand.NewPCG(seed, 0x64617974776f))} //nolint:gosec // G404: names of a simulation, nothing secret
}

func (s *idSource) uid() types.UID {
	s.mu.Lock()
	defer s.mu.Unlock()
	var b [16]byte
	binary.BigEndian.PutUint64(b[:8], s.rng.Uint64())
	binary.BigEndian.PutUint64(b[8:], s.rng.Uint64())
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80 // version 4, variant 1
	return types.UID(fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:]))
}

// suffix makes the random end of a generated name; the alphabet is the API
// server's, which leaves out what could spell words.
func (s *idSource) suffix(n int) string {
	const alphabet = "bcdfghjklmnpqrstvwxz2456789"
	s.mu.Lock()
	defer s.mu.Unlock()
	b := make([]byte, n)
	for i := range b {
		b[i] = alphabet[s.rng.IntN(len(alphabet))]
	}
	return string(b)
}

// hash spreads strings over 64 bits, the same in every run.
func hash(parts ...string) uint64 {
	h := fnv.New64a()
	for _, p := range parts {
		_, _ = h.Write([]byte(p))
		_, _ = h.Write([]byte{0})
	}
	x := h.Sum64()
	// FNV's high bits move little for short inputs; finish as splitmix does.
	x ^= x >> 30
	x *= 0xbf58476d1ce4e5b9
	x ^= x >> 27
	x *= 0x94d049bb133111eb
	return x ^ x>>31
}

// unit is a hash as a number in [0, 1).
func unit(parts ...string) float64 { return float64(hash(parts...)>>11) / (1 << 53) }
