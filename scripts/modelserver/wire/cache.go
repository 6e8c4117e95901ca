package wire

import (
	"crypto/sha256"
	"encoding/binary"
	"sync"
	"time"

	"blogposter/lib/ledger"
)

// Tokens that frame a prompt.
const (
	frameRequest = 8
	frameBlock   = 3
	frameSchema  = 150 // the instructions that go with a schema
)

// cache keeps which prefixes were written, by key, model and content. An entry
// is written at a breakpoint alone, and lives on each time it is read.
type cache struct {
	now func() time.Time

	mu      sync.Mutex
	entries map[[sha256.Size]byte]entry
}

type entry struct {
	life  time.Duration
	until time.Time
}

// prefix is the prompt up to the end of one block.
type prefix struct {
	hash   [sha256.Size]byte
	tokens int
}

// prefixes lists the prompt's prefixes. Another schema changes all of them,
// another effort those within the messages, as the provider says.
func (c *call) prefixes(key string) []prefix {
	hash := chain([sha256.Size]byte{}, key, c.Model, c.format)
	tokens := frameRequest
	if c.format != "" {
		tokens += frameSchema + Tokens(c.format)
	}
	list := make([]prefix, len(c.blocks))
	for i, b := range c.blocks {
		if b.role != "" && (i == 0 || c.blocks[i-1].role == "") {
			hash = chain(hash, c.effort)
		}
		hash = chain(hash, b.role, b.text)
		tokens += frameBlock + Tokens(b.text)
		list[i] = prefix{hash, tokens}
	}
	return list
}

// promptTokens is the length of the whole prompt.
func (c *call) promptTokens() int {
	list := c.prefixes("")
	return list[len(list)-1].tokens
}

// chain hashes parts behind a prefix, each with its length, so that no two
// lists of parts hash alike.
func chain(before [sha256.Size]byte, parts ...string) [sha256.Size]byte {
	h := sha256.New()
	h.Write(before[:])
	for _, p := range parts {
		var n [8]byte
		binary.BigEndian.PutUint64(n[:], uint64(len(p)))
		h.Write(n[:])
		h.Write([]byte(p))
	}
	return [sha256.Size]byte(h.Sum(nil))
}

// account sorts the prompt's tokens into read, written and plain ones. What it
// writes can be read by the calls that begin after store was called: two calls
// at once both pay for the write, as with the provider.
func (k *cache) account(key string, c *call) (u ledger.Usage, store func()) {
	k.mu.Lock()
	defer k.mu.Unlock()
	now, list, shortest := k.now(), c.prefixes(key), models[c.Model].cacheable
	read := k.longest(now, c, list)
	done, writes := 0, map[int]string{}
	if read >= 0 {
		done = list[read].tokens
		u.CacheRead = int64(done)
	}
	for i, b := range c.blocks {
		if b.ttl == "" || i <= read || list[i].tokens < shortest {
			continue
		}
		written := int64(list[i].tokens - done)
		if b.ttl == "1h" {
			u.CacheWrite1h += written
		} else {
			u.CacheWrite5m += written
		}
		done, writes[i] = list[i].tokens, b.ttl
	}
	u.Input = int64(list[len(list)-1].tokens - done)
	return u, func() {
		k.mu.Lock()
		defer k.mu.Unlock()
		if read >= 0 {
			if e, ok := k.entries[list[read].hash]; ok {
				k.entries[list[read].hash] = entry{e.life, now.Add(e.life)}
			}
		}
		for i, ttl := range writes {
			k.entries[list[i].hash] = entry{lifetimes[ttl], now.Add(lifetimes[ttl])}
		}
	}
}

// longest is the index of the longest prefix that can be read, -1 for none.
func (k *cache) longest(now time.Time, c *call, list []prefix) int {
	for i := len(list) - 1; i >= 0; i-- {
		if c.blocks[i].ttl == "" {
			continue
		}
		for j := i; j >= 0 && j > i-lookback; j-- {
			if e, ok := k.entries[list[j].hash]; ok && now.Before(e.until) {
				return j
			}
		}
	}
	return -1
}
