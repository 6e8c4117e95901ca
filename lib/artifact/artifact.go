// Package artifact keeps blobs in an S3 bucket under the SHA-256 of their
// content: pages as they were read, prompts, answers, rendered articles. A
// blob never changes, so putting one twice is harmless, and whoever gets one
// knows that it is what was put.
package artifact

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"blogposter/lib/fault"
)

// MaxBytes is the largest blob that is put or got.
const MaxBytes = 20 << 20

// ErrMissing means that no blob has the hash.
var ErrMissing = errors.New("no such artifact")

// Config says where the bucket is. All but Checksums and HTTP are required.
type Config struct {
	Endpoint  string // such as https://nyc3.digitaloceanspaces.com
	Region    string
	Bucket    string // must exist
	AccessKey string
	SecretKey string
	Checksums string       // "on" lets the server refuse a blob that was damaged on its way; "" is "off", for servers that know no checksums
	HTTP      *http.Client // nil is a client with a timeout of 30 s
}

// Store is a bucket.
type Store struct {
	s3     *s3.Client
	bucket string
}

// New returns a Store, or says which settings are missing. It makes no call;
// Ping does.
func New(cfg Config) (*Store, error) {
	var errs []error
	for _, field := range []struct{ name, value string }{
		{"endpoint", cfg.Endpoint},
		{"region", cfg.Region},
		{"bucket", cfg.Bucket},
		{"access key", cfg.AccessKey},
		{"secret key", cfg.SecretKey},
	} {
		if field.value == "" {
			errs = append(errs, fmt.Errorf("artifact store: the S3 %s is not set", field.name))
		}
	}
	checksums := aws.RequestChecksumCalculationWhenRequired
	switch cfg.Checksums {
	case "", "off":
	case "on":
		checksums = aws.RequestChecksumCalculationWhenSupported
	default:
		errs = append(errs, fmt.Errorf("artifact store: the S3 checksums are %.20q: use on or off", cfg.Checksums))
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	if cfg.HTTP == nil {
		cfg.HTTP = &http.Client{Timeout: 30 * time.Second}
	}
	return &Store{bucket: cfg.Bucket, s3: s3.New(s3.Options{
		BaseEndpoint: aws.String(cfg.Endpoint),
		Region:       cfg.Region,
		Credentials:  credentials.NewStaticCredentialsProvider(cfg.AccessKey, cfg.SecretKey, ""),
		HTTPClient:   cfg.HTTP,
		UsePathStyle: true, // any bucket name works, and so does a server without wildcard names
		Retryer: retry.NewStandard(func(o *retry.StandardOptions) {
			o.MaxAttempts, o.MaxBackoff = 3, 2*time.Second
		}),
		// What is got is checked by its own hash. What is put travels unsigned
		// over https; a checksum then follows it, which not every server knows.
		RequestChecksumCalculation: checksums,
		ResponseChecksumValidation: aws.ResponseChecksumValidationWhenRequired,
	})}, nil
}

// Put keeps data and returns its hash, in lower-case hex. A blob that is
// already there is left alone, so Put is safe to repeat and to race.
func (s *Store) Put(ctx context.Context, data []byte) (string, error) {
	sum := sha256.Sum256(data)
	hash := hex.EncodeToString(sum[:])
	if len(data) > MaxBytes {
		return "", fault.Permanent(fmt.Errorf("put artifact %s: %d bytes are over the limit of %d", hash, len(data), MaxBytes))
	}
	err := s.put(ctx, hash, data, aws.String("*"))
	switch status(err) {
	case http.StatusPreconditionFailed:
		return hash, nil // it is there
	case http.StatusConflict, http.StatusNotImplemented:
		// Another put of the same bytes is under way and may fail, or the
		// server knows no conditions. Writing the same bytes again is harmless.
		err = s.put(ctx, hash, data, nil)
	}
	if err != nil {
		return "", fmt.Errorf("put artifact %s: %w", hash, classify(err))
	}
	return hash, nil
}

func (s *Store) put(ctx context.Context, hash string, data []byte, ifNoneMatch *string) error {
	_, err := s.s3.PutObject(ctx, &s3.PutObjectInput{
		Bucket: &s.bucket, Key: aws.String(key(hash)), Body: bytes.NewReader(data),
		ContentType: aws.String("text/plain; charset=utf-8"), IfNoneMatch: ifNoneMatch,
	})
	return err
}

// Get returns the blob with that hash. It is ErrMissing when there is none,
// and permanent when the stored bytes are not what was put.
func (s *Store) Get(ctx context.Context, hash string) ([]byte, error) {
	if raw, err := hex.DecodeString(hash); err != nil || len(raw) != sha256.Size || hex.EncodeToString(raw) != hash {
		return nil, fault.Permanent(fmt.Errorf("get artifact: %.80q is not a SHA-256 in lower-case hex", hash))
	}
	data, err := s.get(ctx, hash)
	if err != nil {
		return nil, fmt.Errorf("get artifact %s: %w", hash, err)
	}
	if sum := sha256.Sum256(data); hex.EncodeToString(sum[:]) != hash {
		return nil, fault.Permanent(fmt.Errorf("get artifact %s: the stored bytes have the SHA-256 %x: restore the object from a backup", hash, sum))
	}
	return data, nil
}

func (s *Store) get(ctx context.Context, hash string) ([]byte, error) {
	out, err := s.s3.GetObject(ctx, &s3.GetObjectInput{Bucket: &s.bucket, Key: aws.String(key(hash))})
	if err != nil {
		return nil, classify(err)
	}
	defer out.Body.Close()
	data, err := io.ReadAll(io.LimitReader(out.Body, MaxBytes+1))
	if err != nil {
		return nil, fault.Retryable(err, 0)
	}
	if len(data) > MaxBytes {
		return nil, fault.Permanent(fmt.Errorf("the stored object is over the limit of %d bytes", MaxBytes))
	}
	return data, nil
}

// Ping asks whether the bucket can be reached with these keys.
func (s *Store) Ping(ctx context.Context) error {
	if _, err := s.s3.HeadBucket(ctx, &s3.HeadBucketInput{Bucket: &s.bucket}); err != nil {
		return fmt.Errorf("reach bucket %s: %w", s.bucket, classify(err))
	}
	return nil
}

// key spreads blobs over 256 prefixes, as S3 servers on a file system like it.
func key(hash string) string { return "sha256/" + hash[:2] + "/" + hash }
