package cache_test

import (
	"context"
	"crypto/rand"
	"log/slog"
	"net"
	"net/url"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"blogposter/lib/cache"
	"blogposter/lib/cache/cachetest"
)

// lines collects what is logged under one test's context.
type lines struct {
	sync.Mutex
	text []string
}

type linesKey struct{}

// byContext is a slog.Handler that sends each record to its context's lines.
type byContext struct{}

func (byContext) Enabled(context.Context, slog.Level) bool { return true }
func (h byContext) WithAttrs([]slog.Attr) slog.Handler     { return h }
func (h byContext) WithGroup(string) slog.Handler          { return h }

func (byContext) Handle(ctx context.Context, r slog.Record) error {
	if l, ok := ctx.Value(linesKey{}).(*lines); ok {
		text := r.Level.String() + " " + r.Message
		r.Attrs(func(a slog.Attr) bool { text += " " + a.String(); return true })
		l.Lock()
		defer l.Unlock()
		l.text = append(l.text, text)
	}
	return nil
}

func TestMain(m *testing.M) {
	slog.SetDefault(slog.New(byContext{}))
	m.Run()
}

func logged(t *testing.T) (context.Context, *lines) {
	t.Helper()
	l := &lines{}
	return context.WithValue(t.Context(), linesKey{}, l), l
}

func open(t *testing.T, address string) *cache.Cache {
	t.Helper()
	c, err := cache.New(address)
	require.NoError(t, err)
	return c
}

// console is a plain client of the same server. Open a Cache first.
func console(t *testing.T) *redis.Client {
	t.Helper()
	o, err := redis.ParseURL(cachetest.Address(t))
	require.NoError(t, err)
	c := redis.NewClient(o)
	t.Cleanup(func() { require.NoError(t, c.Close()) })
	return c
}

func newKey(t *testing.T) string {
	t.Helper()
	return "bp:test:" + rand.Text()
}

func TestCache_Find_returnsWhatWasKeptUntilItsTime(t *testing.T) {
	t.Parallel()

	ctx, log := logged(t)
	c := open(t, cachetest.Address(t))
	key := newKey(t)
	_, found, up := c.Find(ctx, key)
	require.False(t, found)
	require.True(t, up)

	for _, value := range []string{"answer", "", "\x00\n"} {
		c.Keep(ctx, key, []byte(value), 300*time.Second)
		got, found, up := c.Find(ctx, key)
		require.True(t, found && up)
		require.Equal(t, value, string(got))
	}
	ttl, err := console(t).TTL(ctx, key).Result()
	require.NoError(t, err)
	require.InDelta(t, 300, ttl.Seconds(), 2)

	require.NoError(t, console(t).Del(ctx, key).Err()) // as when it is evicted
	_, found, up = c.Find(ctx, key)
	require.False(t, found)
	require.True(t, up)
	require.Empty(t, log.text, "none of this is worth a line")
}

func TestCache_Find_takesNothingForItsOwnThatIsNot(t *testing.T) {
	t.Parallel()

	c := open(t, cachetest.Address(t))
	raw := console(t)
	key, other := newKey(t), newKey(t)
	c.Keep(t.Context(), key, []byte("answer"), time.Minute)
	c.Keep(t.Context(), other, []byte("answer"), time.Minute)
	whole, err := raw.Get(t.Context(), key).Result()
	require.NoError(t, err)
	another, err := raw.Get(t.Context(), other).Result()
	require.NoError(t, err)

	for name, value := range map[string]string{
		"nothing": "", "something": "{}", "another release's": strings.Replace(whole, "bp1:", "bp2:", 1),
		"cut short": whole[:len(whole)-1], "cut to its mark": "bp1:", "longer": whole + "x",
		"edited": strings.Replace(whole, "answer", "anwser", 1), "another key's": another,
	} {
		ctx, log := logged(t)
		require.NoError(t, raw.Set(ctx, key, value, time.Minute).Err())
		_, found, up := c.Find(ctx, key)
		require.False(t, found, name)
		require.True(t, up, name)
		require.Len(t, log.text, 1, name)
		require.Contains(t, log.text[0], "WARN cache holds something else", name)

		c.Keep(ctx, key, []byte("answer"), time.Minute)
		_, found, _ = c.Find(ctx, key)
		require.True(t, found, "%s is replaced", name)
	}
	ctx, log := logged(t)
	require.NoError(t, raw.Del(ctx, key).Err())
	require.NoError(t, raw.LPush(ctx, key, "x").Err())
	_, found, up := c.Find(ctx, key)
	require.False(t, found || up, "a list")
	require.Len(t, log.text, 1)
	require.NoError(t, raw.Del(ctx, key).Err())
}

// gone is the address of a port that nobody listens on any more.
func gone(t *testing.T) string {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, l.Close())
	return "redis://:hunter2@" + l.Addr().String() + "/0"
}

// silent is the address of a server that accepts and never answers.
func silent(t *testing.T, called *atomic.Int32) string {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		var held []net.Conn
		for {
			conn, err := l.Accept()
			if err != nil {
				for _, c := range held {
					_ = c.Close()
				}
				return
			}
			called.Add(1)
			held = append(held, conn)
		}
	}()
	return "redis://:hunter2@" + l.Addr().String() + "/0"
}

func TestCache_isAMissWhenRedisIsAwayOrSilent(t *testing.T) {
	t.Parallel()

	var called atomic.Int32
	for name, where := range map[string]string{"away": gone(t), "silent": silent(t, &called)} {
		ctx, log := logged(t)
		c := open(t, where)
		start := time.Now()
		_, found, up := c.Find(ctx, "key")
		require.Less(t, time.Since(start), 400*time.Millisecond, name)
		require.False(t, found || up, name)
		require.Len(t, log.text, 1, name)
		require.Contains(t, log.text[0], "WARN cache does not answer", name)
		require.NotContains(t, log.text[0], "hunter2", name)

		c.Keep(ctx, "key", []byte("x"), time.Minute)
		require.Len(t, log.text, 2, name)
		require.Contains(t, log.text[1], "WARN answer not cached", name)
	}
	require.LessOrEqual(t, called.Load(), int32(2), "each is tried once")
}

// slowed stands before the real server and passes each reply on only when told.
func slowed(t *testing.T, pass <-chan struct{}) string {
	t.Helper()
	u, err := url.Parse(cachetest.Address(t))
	require.NoError(t, err)
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = l.Close() })
	real := u.Host
	go func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			server, err := (&net.Dialer{}).DialContext(context.Background(), "tcp", real)
			if err != nil {
				_ = client.Close()
				return
			}
			go relay(server, client, nil)
			go relay(client, server, pass)
		}
	}()
	u.Host = l.Addr().String()
	return u.String()
}

func relay(to, from net.Conn, pass <-chan struct{}) {
	defer func() { _, _ = to.Close(), from.Close() }()
	b := make([]byte, 64<<10)
	for {
		n, err := from.Read(b)
		if err != nil {
			return
		}
		if pass != nil {
			<-pass
		}
		if _, err := to.Write(b[:n]); err != nil {
			return
		}
	}
}

func TestCache_Find_doesNotWaitForASlowReply(t *testing.T) {
	t.Parallel()

	pass := make(chan struct{}, 100)
	for range 100 {
		pass <- struct{}{}
	}
	c := open(t, slowed(t, pass))
	key := newKey(t)
	c.Keep(t.Context(), key, []byte("answer"), time.Minute)
	_, found, _ := c.Find(t.Context(), key)
	require.True(t, found, "it works while replies pass")
	for len(pass) > 0 {
		<-pass
	}

	ctx, log := logged(t)
	start := time.Now()
	_, found, up := c.Find(ctx, key)
	took := time.Since(start)
	require.False(t, found || up)
	require.Len(t, log.text, 1)
	require.GreaterOrEqual(t, took, 40*time.Millisecond)
	require.Less(t, took, 200*time.Millisecond)
	close(pass)

	// The late reply must not be taken for the next question's.
	other := newKey(t)
	_, found, up = c.Find(t.Context(), other)
	require.False(t, found)
	require.True(t, up)
	got, found, _ := c.Find(t.Context(), key)
	require.True(t, found)
	require.Equal(t, "answer", string(got))
}

func TestNew_refusesAnAddressWithoutRepeatingIt(t *testing.T) {
	t.Parallel()

	for _, a := range []string{"", "http://x", "redis://:hunter2@%zz", "postgres://u:hunter2@h/d"} {
		_, err := cache.New(a)
		require.ErrorContains(t, err, "REDIS_URL is not a Redis URL: use redis://")
		require.NotContains(t, err.Error(), "hunter2")
	}
}

func TestNew_doesNotConnect(t *testing.T) {
	t.Parallel()

	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	open(t, "redis://"+l.Addr().String())
	require.NoError(t, l.(*net.TCPListener).SetDeadline(time.Now().Add(50*time.Millisecond)))
	_, err = l.Accept()
	require.ErrorIs(t, err, os.ErrDeadlineExceeded, "nobody has called")
	require.NoError(t, l.Close())
}
