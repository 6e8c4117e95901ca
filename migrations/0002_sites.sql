-- +goose Up
CREATE TABLE blogposter.sites (
    id                    bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    slug                  text NOT NULL UNIQUE CHECK (slug ~ '^[a-z0-9][a-z0-9-]{0,62}$'),
    name                  text NOT NULL CHECK (name <> ''),
    url                   text NOT NULL CHECK (url ~ '^https?://' AND url !~ '/$'),
    time_zone             text NOT NULL CHECK (time_zone <> ''),
    language              text NOT NULL CHECK (language <> ''),
    audience              text NOT NULL DEFAULT '',
    voice                 text NOT NULL DEFAULT '',
    author                text NOT NULL CHECK (author <> ''),
    categories            text[] NOT NULL DEFAULT '{}',
    tags                  text[] NOT NULL DEFAULT '{}',
    rules                 jsonb NOT NULL CHECK (jsonb_typeof(rules) = 'object'),
    cms                   jsonb NOT NULL CHECK (cms ->> 'kind' IN ('wordpress') AND cms ->> 'url' ~ '^https?://'),
    article_budget_micros bigint NOT NULL CHECK (article_budget_micros BETWEEN 1 AND 10000000),
    created_at            timestamptz NOT NULL DEFAULT now(),
    updated_at            timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE blogposter.sources (
    site_id bigint NOT NULL REFERENCES blogposter.sites ON DELETE CASCADE,
    prefix  text NOT NULL CHECK (prefix ~ '^https?://[^/]+/'),
    tier    text NOT NULL CHECK (tier IN ('authoritative', 'secondary')),
    start   boolean NOT NULL DEFAULT false,
    PRIMARY KEY (site_id, prefix)
);

CREATE TABLE blogposter.api_keys (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    site_id    bigint NOT NULL REFERENCES blogposter.sites ON DELETE CASCADE,
    name       text NOT NULL CHECK (name <> ''),
    role       text NOT NULL CHECK (role IN ('viewer', 'editor', 'reviewer', 'admin')),
    hash       text NOT NULL UNIQUE CHECK (hash ~ '^[0-9a-f]{64}$'), -- SHA-256 of the key
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz,
    revoked_at timestamptz
);

ALTER TABLE blogposter.sites ENABLE ROW LEVEL SECURITY;
ALTER TABLE blogposter.sources ENABLE ROW LEVEL SECURITY;
ALTER TABLE blogposter.api_keys ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_site ON blogposter.sites USING (id = blogposter.current_site());
CREATE POLICY own_site ON blogposter.sources USING (site_id = blogposter.current_site());
-- api_keys has no policy and no grant: functions reach a key by its hash alone.
GRANT SELECT ON blogposter.sites, blogposter.sources TO blogposter_functions;

-- +goose StatementBegin
-- Finds a site before its id is known. Returns an id, no content.
CREATE FUNCTION blogposter.site_by_slug(p_slug text) RETURNS bigint
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = ''
AS $$ SELECT id FROM blogposter.sites WHERE slug = p_slug $$;
-- +goose StatementEnd

-- +goose StatementBegin
-- Finds who holds a key; nothing for one that is unknown, expired or revoked.
CREATE FUNCTION blogposter.principal_by_key(p_hash text)
RETURNS TABLE (key_id bigint, name text, role text, site text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = ''
AS $$
    SELECT k.id, k.name, k.role, s.slug
    FROM blogposter.api_keys k JOIN blogposter.sites s ON s.id = k.site_id
    WHERE k.hash = p_hash AND k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > now())
$$;
-- +goose StatementEnd

REVOKE ALL ON FUNCTION blogposter.site_by_slug(text), blogposter.principal_by_key(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION blogposter.site_by_slug(text), blogposter.principal_by_key(text) TO blogposter_functions;
