package seal

import (
	"context"
	"fmt"

	"blogposter/lib/editorial"
	"blogposter/lib/fault"
)

// Credentials is where sealed values are kept; false for one the site doesn't
// have.
type Credentials interface {
	Credential(ctx context.Context, siteID int64, name string) (editorial.Sealed, bool, error)
}

// Vault opens the credentials of any site, one question at a time: it keeps
// none, so a replaced one is used at once and none is ever another site's.
type Vault struct {
	keys *Keys
	kept Credentials
}

// NewVault returns a Vault on kept.
func NewVault(keys *Keys, kept Credentials) Vault { return Vault{keys: keys, kept: kept} }

// Open returns the site's credential with this name. What only a person can
// mend (it was never set, its key is gone) needs one.
func (v Vault) Open(ctx context.Context, site editorial.Site, name string) (string, error) {
	sealed, ok, err := v.kept.Credential(ctx, site.ID, name)
	if err != nil {
		return "", err
	}
	if !ok {
		return "", fault.NeedsHuman(fmt.Errorf("site %s has no %s: set it with `site credential set -site %s -name %s`", site.Slug, name, site.Slug, name))
	}
	secret, err := v.keys.Open(site.Slug, name, sealed)
	if err != nil {
		return "", fault.NeedsHuman(fmt.Errorf("%w: put its key back into %s, or set the credential anew", err, Variable))
	}
	return secret, nil
}
