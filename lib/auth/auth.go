// Package auth says who is asking and what they may do: a bearer token
// becomes a Principal, and one table says which role each action takes. It
// knows no HTTP and no SQL; JSON Web Tokens are read by lib/auth/jwt.
package auth

import (
	"errors"
	"slices"
)

// Role is what a Principal is trusted with. Each one may do all that the one
// before it may. The strings are stored in Postgres and stand in tokens.
type Role string

// The roles, the least trusted first.
const (
	RoleViewer   Role = "viewer"
	RoleEditor   Role = "editor"
	RoleReviewer Role = "reviewer"
	RoleAdmin    Role = "admin"
)

var rank = []Role{RoleViewer, RoleEditor, RoleReviewer, RoleAdmin}

// Valid reports whether r is one of the roles.
func (r Role) Valid() bool { return slices.Contains(rank, r) }

// Action is something the API does for a Principal.
type Action string

// The actions, as an answer names them to who may not.
const (
	ActRead      Action = "reading"
	ActStart     Action = "starting a run"
	ActDismiss   Action = "dismissing a topic"
	ActDecide    Action = "deciding on a draft"
	ActRetract   Action = "taking an article back"
	ActConfigure Action = "reading a site's settings"
)

var least = map[Action]Role{
	ActRead:      RoleViewer,
	ActStart:     RoleEditor,
	ActDismiss:   RoleEditor,
	ActDecide:    RoleReviewer,
	ActRetract:   RoleReviewer,
	ActConfigure: RoleAdmin,
}

// Needs is the least trusted role that may do a; an action that is not in the
// table takes an admin.
func (a Action) Needs() Role {
	if r, ok := least[a]; ok {
		return r
	}
	return RoleAdmin
}

// Can reports whether r may do a. A role that is none ranks below every one,
// and may do nothing.
func (r Role) Can(a Action) bool { return slices.Index(rank, r) >= slices.Index(rank, a.Needs()) }

// Principal is who is asking. Sites are the slugs of the only sites that
// exist for them.
type Principal struct {
	Subject string // the user's id, or "key:7"; what is written into a Decision
	Name    string // for people to read
	Role    Role
	Sites   []string
}

// Why a Principal has no site to work on.
var (
	ErrSiteNeeded  = errors.New("the site is not named")
	ErrSiteUnknown = errors.New("no such site")
)

// Site chooses the site to work on: the named one, or the only one there is.
// A site that isn't the Principal's is answered like one that doesn't exist.
func (p Principal) Site(named string) (string, error) {
	switch {
	case named != "" && slices.Contains(p.Sites, named):
		return named, nil
	case named != "" || len(p.Sites) == 0:
		return "", ErrSiteUnknown
	case len(p.Sites) > 1:
		return "", ErrSiteNeeded
	}
	return p.Sites[0], nil
}
