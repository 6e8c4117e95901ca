-- +goose Up
-- A page as it was read once. Its text lies in the artifact store under text_hash.
CREATE TABLE blogposter.snapshots (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    site_id      bigint NOT NULL REFERENCES blogposter.sites,
    url          text NOT NULL CHECK (url ~ '^https?://'),
    title        text NOT NULL,
    tier         text NOT NULL CHECK (tier IN ('authoritative', 'secondary')),
    text_hash    text NOT NULL CHECK (text_hash ~ '^[0-9a-f]{64}$'),
    raw_hash     text NOT NULL CHECK (raw_hash ~ '^[0-9a-f]{64}$'),
    text_bytes   int NOT NULL CHECK (text_bytes > 0),
    published_at timestamptz,
    fetched_at   timestamptz NOT NULL DEFAULT now(), -- when this text was last seen at url
    UNIQUE (site_id, url, text_hash),
    UNIQUE (id, site_id)
);

-- What became of each page a run was to read.
CREATE TABLE blogposter.run_sources (
    run_id      bigint NOT NULL,
    site_id     bigint NOT NULL,
    url         text NOT NULL,
    snapshot_id bigint,
    refused     text,
    PRIMARY KEY (run_id, url),
    FOREIGN KEY (run_id, site_id) REFERENCES blogposter.runs (id, site_id) ON DELETE CASCADE,
    FOREIGN KEY (snapshot_id, site_id) REFERENCES blogposter.snapshots (id, site_id),
    CONSTRAINT run_sources_read_or_refused CHECK ((snapshot_id IS NULL) <> (refused IS NULL))
);

-- Passages the writer may rely on, numbered within the run.
CREATE TABLE blogposter.evidence (
    run_id      bigint NOT NULL,
    n           int NOT NULL CHECK (n > 0),
    site_id     bigint NOT NULL,
    snapshot_id bigint NOT NULL,
    point       text NOT NULL,
    quote       text NOT NULL CHECK (quote <> ''),
    byte_start  int NOT NULL CHECK (byte_start >= 0),
    byte_end    int NOT NULL,
    PRIMARY KEY (run_id, n),
    FOREIGN KEY (run_id, site_id) REFERENCES blogposter.runs (id, site_id) ON DELETE CASCADE,
    FOREIGN KEY (snapshot_id, site_id) REFERENCES blogposter.snapshots (id, site_id),
    CONSTRAINT evidence_range_is_quote CHECK (byte_end - byte_start = octet_length(quote))
);

-- One version of an article's text. Text is never updated: changed text is a
-- new version. Only what is rendered from it, and that it was checked, is
-- added later, which the grant below enforces.
CREATE TABLE blogposter.drafts (
    id               bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    run_id           bigint NOT NULL,
    site_id          bigint NOT NULL,
    version          int NOT NULL CHECK (version > 0),
    title            text NOT NULL CHECK (title <> ''),
    slug             text NOT NULL CHECK (slug ~ '^[a-z0-9]+(-[a-z0-9]+)*$'),
    excerpt          text NOT NULL,
    meta_description text NOT NULL,
    keyphrase        text NOT NULL,
    categories       text[] NOT NULL,
    tags             text[] NOT NULL,
    body             jsonb NOT NULL,
    created_at       timestamptz NOT NULL DEFAULT now(),
    checked_at       timestamptz,
    markup           text NOT NULL DEFAULT '',
    json_ld          text NOT NULL DEFAULT '',
    digest           text NOT NULL DEFAULT '' CHECK (digest ~ '^([0-9a-f]{64})?$'),
    UNIQUE (run_id, version),
    UNIQUE (id, run_id, site_id),
    FOREIGN KEY (run_id, site_id) REFERENCES blogposter.runs (id, site_id) ON DELETE CASCADE,
    CONSTRAINT drafts_digest_of_checked CHECK (digest = '' OR (checked_at IS NOT NULL AND markup <> ''))
);

CREATE TABLE blogposter.claims (
    draft_id bigint NOT NULL,
    n        int NOT NULL CHECK (n > 0),
    run_id   bigint NOT NULL,
    site_id  bigint NOT NULL,
    place    text NOT NULL,
    text     text NOT NULL CHECK (text <> ''),
    legal    boolean NOT NULL,
    verdict  text NOT NULL CHECK (verdict IN ('supported', 'refuted', 'unsupported')),
    reason   text NOT NULL,
    PRIMARY KEY (draft_id, n),
    UNIQUE (draft_id, n, site_id),
    FOREIGN KEY (draft_id, run_id, site_id) REFERENCES blogposter.drafts (id, run_id, site_id) ON DELETE CASCADE
);

CREATE TABLE blogposter.citations (
    draft_id    bigint NOT NULL,
    claim_n     int NOT NULL,
    n           int NOT NULL CHECK (n > 0),
    site_id     bigint NOT NULL,
    snapshot_id bigint NOT NULL,
    quote       text NOT NULL CHECK (quote <> ''),
    byte_start  int NOT NULL CHECK (byte_start >= 0),
    byte_end    int NOT NULL,
    PRIMARY KEY (draft_id, claim_n, n),
    FOREIGN KEY (draft_id, claim_n, site_id) REFERENCES blogposter.claims (draft_id, n, site_id) ON DELETE CASCADE,
    FOREIGN KEY (snapshot_id, site_id) REFERENCES blogposter.snapshots (id, site_id),
    CONSTRAINT citations_range_is_quote CHECK (byte_end - byte_start = octet_length(quote))
);

CREATE TABLE blogposter.findings (
    draft_id bigint NOT NULL,
    n        int NOT NULL CHECK (n > 0),
    run_id   bigint NOT NULL,
    site_id  bigint NOT NULL,
    rule     text NOT NULL CHECK (rule <> ''),
    severity text NOT NULL CHECK (severity IN ('error', 'warning')),
    message  text NOT NULL,
    PRIMARY KEY (draft_id, n),
    FOREIGN KEY (draft_id, run_id, site_id) REFERENCES blogposter.drafts (id, run_id, site_id) ON DELETE CASCADE
);

-- +goose StatementBegin
DO $$
DECLARE t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['snapshots', 'run_sources', 'evidence', 'drafts', 'claims', 'citations', 'findings'] LOOP
        EXECUTE format('ALTER TABLE blogposter.%I ENABLE ROW LEVEL SECURITY', t);
        EXECUTE format('CREATE POLICY own_site ON blogposter.%I USING (site_id = blogposter.current_site())', t);
    END LOOP;
END $$;
-- +goose StatementEnd
GRANT SELECT, INSERT ON blogposter.snapshots, blogposter.drafts TO blogposter_functions;
GRANT UPDATE (fetched_at) ON blogposter.snapshots TO blogposter_functions;
GRANT UPDATE (markup, json_ld, digest, checked_at) ON blogposter.drafts TO blogposter_functions;
GRANT SELECT, INSERT, DELETE ON blogposter.run_sources, blogposter.evidence, blogposter.claims, blogposter.citations, blogposter.findings
    TO blogposter_functions;
