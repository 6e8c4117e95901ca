package artifact

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"

	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"blogposter/lib/fault"
)

// status is the HTTP status in err, or 0 when there was no answer.
func status(err error) int {
	var re *smithyhttp.ResponseError
	if errors.As(err, &re) {
		return re.HTTPStatusCode()
	}
	return 0
}

// classify says what to do about an error of the S3 server. Wrong keys and a
// missing bucket are for a person: nothing in the pipeline can make them.
func classify(err error) error {
	var api smithy.APIError
	name := ""
	if errors.As(err, &api) {
		name = api.ErrorCode()
	}
	var distrust *tls.CertificateVerificationError
	switch code := status(err); {
	case errors.As(err, &distrust):
		return fault.NeedsHuman(fmt.Errorf("%w: let SSL_CERT_FILE name the certificate of the authority that the S3 server's is from", err))
	case name == "BadDigest": // damaged on its way
		return fault.Retryable(err, 0)
	case name == "NoSuchKey":
		return fault.Permanent(ErrMissing)
	case code == http.StatusUnauthorized, code == http.StatusForbidden:
		return fault.NeedsHuman(fmt.Errorf("%w: check the S3 access key, its secret and its rights on the bucket", err))
	case code == http.StatusNotFound: // the bucket; an answer to HEAD names nothing
		return fault.NeedsHuman(fmt.Errorf("%w: create the bucket, or set the right name", err))
	case code == http.StatusRequestTimeout, code == http.StatusTooManyRequests, code == http.StatusConflict, code >= 500, code == 0:
		return fault.Retryable(err, 0)
	default:
		return fault.Permanent(err)
	}
}
