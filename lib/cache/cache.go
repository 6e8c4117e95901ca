// Package cache keeps answers in Redis for a while. Whatever is wrong with
// Redis (away, slow, evicting, holding something else) is a miss: one line in
// the log, and never an error of the caller's.
package cache

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/logging"
	"github.com/redis/go-redis/v9/maintnotifications"
)

const (
	// patience is how long a reply may take. What Redis would save is hardly
	// longer.
	patience = 50 * time.Millisecond
	// dialing is how long a new connection may take, TLS included: once in a
	// process's life, while each reply would otherwise be cut off by it.
	dialing = 250 * time.Millisecond
)

var silence = sync.OnceFunc(logging.Disable)

// Cache is safe for concurrent use.
type Cache struct{ redis *redis.Client }

// New returns a Cache at a redis:// or rediss:// address. It does not connect
// yet. Call it once in a process, before any other use of Redis: it silences
// the client's own log, whose lines are not ours.
func New(address string) (*Cache, error) {
	o, err := redis.ParseURL(address)
	if err != nil { // its own text repeats the address, password and all
		return nil, errors.New("REDIS_URL is not a Redis URL: use redis://:password@host:6379/0, or rediss:// over TLS")
	}
	silence()
	// A process serves one event at a time. One try: a second one would take
	// longer than what it may save.
	o.PoolSize, o.MaxRetries, o.DialerRetries = 1, -1, 1
	o.DialTimeout, o.PoolTimeout = dialing, dialing
	o.ReadTimeout, o.WriteTimeout = patience, patience
	o.ConnMaxIdleTime = time.Minute // frozen between events, a connection may be dead when it is thawed
	o.ContextTimeoutEnabled = true
	o.DisableIdentity = true
	o.MaintNotificationsConfig = &maintnotifications.Config{Mode: maintnotifications.ModeDisabled}
	return &Cache{redis: redis.NewClient(o)}, nil
}

// Find returns what was kept under key. up is false when Redis did not
// answer: there is no use in asking it again for this request.
func (c *Cache) Find(ctx context.Context, key string) (value []byte, found, up bool) {
	raw, err := c.redis.Get(ctx, key).Bytes()
	if errors.Is(err, redis.Nil) {
		return nil, false, true
	}
	if err != nil {
		slog.WarnContext(ctx, "cache does not answer, working without it", "err", err)
		return nil, false, false
	}
	value, ok := open(key, raw)
	if !ok {
		slog.WarnContext(ctx, "cache holds something else, working without it", "bytes", len(raw))
	}
	return value, ok, true
}

// Keep stores value under key for that long. It may be forgotten sooner, or
// not be stored at all.
func (c *Cache) Keep(ctx context.Context, key string, value []byte, ttl time.Duration) {
	if err := c.redis.Set(ctx, key, seal(key, value), ttl).Err(); err != nil {
		slog.WarnContext(ctx, "answer not cached", "err", err)
	}
}

// format tells values of this release from those of one that seals otherwise.
const format = "bp1:"

// seal puts before a value what shows that it is whole, and this key's.
func seal(key string, value []byte) []byte {
	return append(append([]byte(format), sum(key, value)...), value...)
}

func open(key string, raw []byte) ([]byte, bool) {
	rest, ours := bytes.CutPrefix(raw, []byte(format))
	if !ours || len(rest) < sha256.Size {
		return nil, false
	}
	value := rest[sha256.Size:]
	return value, bytes.Equal(rest[:sha256.Size], sum(key, value))
}

func sum(key string, value []byte) []byte {
	h := sha256.New()
	h.Write([]byte(key))
	h.Write([]byte{0}) // no key holds one
	h.Write(value)
	return h.Sum(nil)
}
