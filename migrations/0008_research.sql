-- +goose Up
CREATE EXTENSION IF NOT EXISTS vector SCHEMA extensions;

-- Where a site looks for what others write: a feed, a sitemap, or a page with
-- links. What the last look was answered is kept, so that the next one asks
-- only for what has changed.
CREATE TABLE blogposter.competitors (
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    site_id       bigint NOT NULL REFERENCES blogposter.sites ON DELETE CASCADE,
    name          text NOT NULL CHECK (name <> ''),
    kind          text NOT NULL CHECK (kind IN ('feed', 'sitemap', 'page')),
    url           text NOT NULL CHECK (url ~ '^https?://'),
    via           text NOT NULL DEFAULT 'direct' CHECK (via IN ('direct', 'reader')),
    most          int NOT NULL DEFAULT 200 CHECK (most BETWEEN 1 AND 5000), -- pages that are kept in view
    active        boolean NOT NULL DEFAULT true, -- false: left out of the site's latest file
    etag          text NOT NULL DEFAULT '',
    last_modified text NOT NULL DEFAULT '',
    checked_at    timestamptz,
    report        text NOT NULL DEFAULT '', -- what the last look left out or could not read, for an editor
    UNIQUE (site_id, url),
    UNIQUE (id, site_id)
);

-- A competitor's page. Its text lies in the artifact store under text_hash; it
-- is never a source: nothing can cite it.
CREATE TABLE blogposter.watched_pages (
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    site_id       bigint NOT NULL REFERENCES blogposter.sites ON DELETE CASCADE,
    competitor_id bigint NOT NULL,
    url           text NOT NULL CHECK (url ~ '^https?://'),
    title         text NOT NULL DEFAULT '',
    state         text NOT NULL CHECK (state IN ('live', 'gone', 'refused')),
    refused       text NOT NULL DEFAULT '',
    text_hash     text CHECK (text_hash ~ '^[0-9a-f]{64}$'),
    text_bytes    int NOT NULL DEFAULT 0 CHECK (text_bytes >= 0),
    words         int NOT NULL DEFAULT 0 CHECK (words >= 0),
    shingles      bytea, -- a sketch of the text's word shingles: equal sketches, near-equal texts
    same_as       bigint, -- the older page that says nearly the same
    comments      int CHECK (comments >= 0), -- NULL: unknown
    etag          text NOT NULL DEFAULT '',
    last_modified text NOT NULL DEFAULT '',
    listed_at     timestamptz, -- as its feed or sitemap dates it
    published_at  timestamptz, -- as the page says, when it says
    first_seen_at timestamptz NOT NULL DEFAULT now(),
    checked_at    timestamptz NOT NULL DEFAULT now(),
    changed_at    timestamptz NOT NULL DEFAULT now(),
    gone_at       timestamptz,
    UNIQUE (site_id, url),
    UNIQUE (id, site_id),
    FOREIGN KEY (competitor_id, site_id) REFERENCES blogposter.competitors (id, site_id) ON DELETE CASCADE,
    FOREIGN KEY (same_as, site_id) REFERENCES blogposter.watched_pages (id, site_id),
    CONSTRAINT watched_pages_live_has_text CHECK (state <> 'live' OR text_hash IS NOT NULL),
    CONSTRAINT watched_pages_gone_since CHECK ((state = 'gone') = (gone_at IS NOT NULL))
);

-- What a look found otherwise than the one before.
CREATE TABLE blogposter.page_changes (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    page_id    bigint NOT NULL,
    site_id    bigint NOT NULL,
    run_id     bigint NOT NULL,
    at         timestamptz NOT NULL DEFAULT now(),
    kind       text NOT NULL CHECK (kind IN ('new', 'changed', 'gone', 'back')),
    text_hash  text CHECK (text_hash ~ '^[0-9a-f]{64}$'),
    before     text CHECK (before ~ '^[0-9a-f]{64}$'),
    added      int NOT NULL DEFAULT 0 CHECK (added >= 0),     -- sentences
    removed    int NOT NULL DEFAULT 0 CHECK (removed >= 0),   -- sentences
    summary    text NOT NULL DEFAULT '',
    UNIQUE (run_id, page_id), -- a repeated look of the same run says it once
    FOREIGN KEY (page_id, site_id) REFERENCES blogposter.watched_pages (id, site_id) ON DELETE CASCADE,
    FOREIGN KEY (run_id, site_id) REFERENCES blogposter.runs (id, site_id) ON DELETE CASCADE
);
CREATE INDEX page_changes_of_site ON blogposter.page_changes (site_id, id DESC);

-- What a text means to a model. Vectors of two models are never compared.
CREATE TABLE blogposter.vectors (
    site_id    bigint NOT NULL REFERENCES blogposter.sites ON DELETE CASCADE,
    model      text NOT NULL CHECK (model <> ''),
    text_hash  text NOT NULL CHECK (text_hash ~ '^[0-9a-f]{64}$'),
    embedding  extensions.vector NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (site_id, model, text_hash)
);

-- +goose StatementBegin
DO $$
DECLARE t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['competitors', 'watched_pages', 'page_changes', 'vectors'] LOOP
        EXECUTE format('ALTER TABLE blogposter.%I ENABLE ROW LEVEL SECURITY', t);
        EXECUTE format('CREATE POLICY own_site ON blogposter.%I USING (site_id = blogposter.current_site())', t);
    END LOOP;
END $$;
-- +goose StatementEnd
GRANT SELECT ON blogposter.competitors TO blogposter_functions;
GRANT UPDATE (etag, last_modified, checked_at, report) ON blogposter.competitors TO blogposter_functions;
GRANT SELECT, INSERT ON blogposter.watched_pages, blogposter.page_changes, blogposter.vectors TO blogposter_functions;
GRANT UPDATE (competitor_id, title, state, refused, text_hash, text_bytes, words, shingles, same_as, comments, etag, last_modified,
              listed_at, published_at, checked_at, changed_at, gone_at) ON blogposter.watched_pages TO blogposter_functions;

-- research: how often a site looks around, and what one look may cost.
-- Both or neither: a site that lacks one would end the look of all (below).
ALTER TABLE blogposter.sites ADD COLUMN research jsonb CHECK (
    research IS NULL OR coalesce((research ->> 'every_minutes')::int, 0) BETWEEN 15 AND 10080
    AND coalesce((research ->> 'budget')::bigint, 0) BETWEEN 1 AND 10000000);

-- +goose StatementBegin
-- The sites whose look around is due: each gets a research run with its
-- budget, unless one is under way. Sees all sites, returns how many it began.
-- Two calls at once begin one run.
CREATE FUNCTION blogposter.begin_due_research(p_pins jsonb) RETURNS int
LANGUAGE plpgsql SECURITY DEFINER SET search_path = ''
AS $$
DECLARE
    n int;
BEGIN
    WITH due AS (
        SELECT s.id, (s.research ->> 'budget')::bigint AS budget FROM blogposter.sites s
        WHERE blogposter.research_is_due(s.id, s.research)
    ), begun AS (
        INSERT INTO blogposter.runs (site_id, kind, created_by, pins, stage, state)
        SELECT d.id, 'research', 'schedule', p_pins, 'monitor', 'ready' FROM due d
        ON CONFLICT (site_id) WHERE kind = 'research' AND state IN ('ready', 'running') DO NOTHING
        RETURNING *
    ), budget AS (
        INSERT INTO blogposter.budgets (site_id, scope, run_id, limit_micros)
        SELECT b.site_id, 'research', b.id, d.budget FROM begun b JOIN due d ON d.id = b.site_id
    ), event AS (
        INSERT INTO blogposter.events (run_id, site_id, kind, stage, state, attempt, detail)
        SELECT b.id, b.site_id, 'created', b.stage, b.state, 0, b.created_by FROM begun b
    )
    SELECT count(*) INTO n FROM begun;
    RETURN n;
END $$;
-- +goose StatementEnd

-- +goose StatementBegin
-- A look that waits for a person is worth nothing once a newer one begins, and
-- would pile up with each: the newer one ends it.
CREATE FUNCTION blogposter.end_waiting_research() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = ''
AS $$
BEGIN
    WITH ended AS (
        UPDATE blogposter.runs SET state = 'cancelled', waiting = NULL, finished_at = clock_timestamp(), updated_at = now()
        WHERE site_id = NEW.site_id AND kind = 'research' AND state = 'waiting'
        RETURNING *
    )
    INSERT INTO blogposter.events (run_id, site_id, kind, stage, state, attempt, detail)
    SELECT e.id, e.site_id, 'finished', e.stage, e.state, e.attempt, format('run %s looks anew', NEW.id) FROM ended e;
    RETURN NULL;
END $$;
-- +goose StatementEnd
REVOKE ALL ON FUNCTION blogposter.end_waiting_research() FROM PUBLIC;
CREATE TRIGGER end_waiting AFTER INSERT ON blogposter.runs
    FOR EACH ROW WHEN (NEW.kind = 'research') EXECUTE FUNCTION blogposter.end_waiting_research();

-- +goose StatementBegin
-- Two questions, since each has an index of its own, and the newest look by
-- max(), which reads one row: asked otherwise they may read all looks that the
-- site ever had, each minute.
CREATE FUNCTION blogposter.research_is_due(p_site bigint, p_research jsonb) RETURNS boolean
LANGUAGE sql STABLE SET search_path = ''
AS $$
    SELECT p_research IS NOT NULL
       AND NOT EXISTS (SELECT FROM blogposter.runs r WHERE r.site_id = p_site AND r.kind = 'research' AND r.state IN ('ready', 'running'))
       AND coalesce((SELECT max(r.created_at) FROM blogposter.runs r WHERE r.site_id = p_site AND r.kind = 'research')
                    <= now() - make_interval(mins => (p_research ->> 'every_minutes')::int), true)
$$;
-- +goose StatementEnd

-- +goose StatementBegin
-- The stages that have due runs, for tick; monitor, too, when a site's look
-- around is due. Sees all sites, returns no content.
CREATE OR REPLACE FUNCTION blogposter.due_stages() RETURNS TABLE (stage text, due bigint)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = ''
AS $$
    SELECT d.stage, count(*) FROM (
        SELECT r.stage FROM blogposter.runs r WHERE r.state = 'ready' AND r.not_before <= now()
        UNION ALL
        SELECT r.stage FROM blogposter.runs r WHERE r.state = 'running' AND r.lease_until < now()
        UNION ALL
        SELECT 'monitor' FROM blogposter.sites s WHERE blogposter.research_is_due(s.id, s.research)
    ) d GROUP BY d.stage
$$;
-- +goose StatementEnd
REVOKE ALL ON FUNCTION blogposter.begin_due_research(jsonb), blogposter.research_is_due(bigint, jsonb) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION blogposter.begin_due_research(jsonb) TO blogposter_functions;
