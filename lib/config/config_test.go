package config_test

import (
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"blogposter/lib/config"
)

func env(pairs ...string) *config.Env {
	return config.New(func() []string { return pairs })
}

func TestEnv_reads_whatIsSetAndDefaultsTheRest(t *testing.T) {
	t.Parallel()

	e := env("DATABASE_URL=postgres://u:p@db/x?a=b", "LEASE_TTL=90s", "MAX=3", "READER=https://r.example/v1",
		"LOG_LEVEL=warn", "EMPTY=", "PASTED= key\n")
	require.Equal(t, "postgres://u:p@db/x?a=b", e.Need("DATABASE_URL", "how"))
	require.Equal(t, "key", e.Need("PASTED", "how"))
	require.Equal(t, 90*time.Second, e.Duration("LEASE_TTL", time.Hour))
	require.Equal(t, time.Hour, e.Duration("EMPTY", time.Hour))
	require.Equal(t, 3, e.Int("MAX", 8))
	require.Equal(t, 8, e.Int("UNSET", 8))
	require.Equal(t, "https://r.example/v1", e.NeedURL("READER", "how").String())
	require.Equal(t, "https://d.example", e.URL("UNSET", "https://d.example").String())
	require.Equal(t, "def", e.Get("EMPTY", "def"))
	require.Equal(t, slog.LevelWarn, e.LogLevel())
	require.Equal(t, slog.LevelInfo, env().LogLevel())
	require.NoError(t, e.Err())
}

func TestEnv_Err_listsEveryFaultOnceInOrder(t *testing.T) {
	t.Parallel()

	e := env("LEASE_TTL=5 parsecs", "NEGATIVE=-5s", "MAX=many", "READER=r.example", "FTP=ftp://r.example", "LOG_LEVEL=LOUD", "EMPTY=  ")
	e.Need("DATABASE_URL", "`make up` writes one to .env")
	e.Need("DATABASE_URL", "`make up` writes one to .env")
	e.Need("EMPTY", "ask")
	require.Equal(t, time.Minute, e.Duration("LEASE_TTL", time.Minute))
	e.Duration("NEGATIVE", time.Minute)
	require.Equal(t, 8, e.Int("MAX", 8))
	require.NotNil(t, e.URL("READER", ""))
	e.URL("FTP", "")
	require.NotNil(t, e.NeedURL("UNSET", "ask"))
	require.Equal(t, slog.LevelInfo, e.LogLevel())
	require.EqualError(t, e.Err(), "DATABASE_URL is not set: `make up` writes one to .env\n"+
		"EMPTY is not set: ask\n"+
		"LEASE_TTL is \"5 parsecs\": use a Go duration such as 90s\n"+
		"NEGATIVE is \"-5s\": use a Go duration such as 90s\n"+
		"MAX is \"many\": use a whole number such as 8\n"+
		"READER is not an absolute URL: use one such as https://example.com\n"+
		"FTP is not an absolute URL: use one such as https://example.com\n"+
		"UNSET is not set: ask\n"+
		"LOG_LEVEL is \"LOUD\": use DEBUG, INFO, WARN or ERROR")
}

func TestEnv_Err_neverShowsASecret(t *testing.T) {
	t.Parallel()

	const secret = "sk-ant-0123456789-hunter2"
	e := env("TTL="+secret, "MAX="+secret, "LOG_LEVEL="+secret, "A_URL=ftp://user:"+secret+"@host", "B_URL=http://user:"+secret+"%zz@host")
	e.Duration("TTL", time.Second)
	e.Int("MAX", 1)
	e.LogLevel()
	e.URL("A_URL", "")
	e.URL("B_URL", "")
	require.Error(t, e.Err())
	require.NotContains(t, e.Err().Error(), "hunter2")
	require.NotContains(t, e.Err().Error(), "0123456789")
}

func TestOS_readsTheProcess(t *testing.T) {
	t.Setenv("BLOGPOSTER_CONFIG_TEST", "seen")
	require.Equal(t, "seen", config.OS().Need("BLOGPOSTER_CONFIG_TEST", "how"))
}
