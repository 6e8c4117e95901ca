package editorial

// CredentialPassword is the name of the credential that a site's content
// system takes.
const CredentialPassword = "cms.password"

// Sealed is a secret as the database keeps it: unreadable without its key.
type Sealed struct {
	KeyID string // which key sealed it
	Bytes []byte
}
