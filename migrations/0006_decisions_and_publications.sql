-- +goose Up
-- A reviewer's answer, bound to the digest of what was shown. Never changed.
CREATE TABLE blogposter.decisions (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    run_id     bigint NOT NULL,
    draft_id   bigint NOT NULL,
    site_id    bigint NOT NULL,
    verb       text NOT NULL CHECK (verb IN ('approve', 'reject')),
    digest     text NOT NULL CHECK (digest ~ '^[0-9a-f]{64}$'),
    reviewer   text NOT NULL CHECK (reviewer <> ''),
    comment    text NOT NULL DEFAULT '',
    decided_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (draft_id), -- one answer for one Draft
    UNIQUE (draft_id, digest, verb, site_id),
    FOREIGN KEY (draft_id, run_id, site_id) REFERENCES blogposter.drafts (id, run_id, site_id)
);

-- A Draft on its site. The foreign key lets in no digest that was not approved
-- for that very Draft.
CREATE TABLE blogposter.publications (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    run_id       bigint NOT NULL UNIQUE,
    draft_id     bigint NOT NULL,
    site_id      bigint NOT NULL,
    digest       text NOT NULL,
    verb         text NOT NULL DEFAULT 'approve' CHECK (verb = 'approve'),
    marker       text NOT NULL CHECK (marker ~ '^bp-[0-9a-f]{32}$'),
    state        text NOT NULL CHECK (state IN ('intent', 'draft', 'published')),
    post_id      bigint CHECK (post_id > 0),
    url          text NOT NULL DEFAULT '',
    created_at   timestamptz NOT NULL DEFAULT now(),
    published_at timestamptz,
    UNIQUE (site_id, marker),
    UNIQUE (site_id, post_id),
    FOREIGN KEY (draft_id, run_id, site_id) REFERENCES blogposter.drafts (id, run_id, site_id),
    FOREIGN KEY (draft_id, digest, verb, site_id) REFERENCES blogposter.decisions (draft_id, digest, verb, site_id),
    CONSTRAINT publications_post_known CHECK ((state = 'intent') = (post_id IS NULL)),
    CONSTRAINT publications_public_is_known CHECK ((state = 'published') = (published_at IS NOT NULL) AND (state <> 'published' OR url <> ''))
);
CREATE INDEX publications_of_site ON blogposter.publications (site_id, id DESC) WHERE state = 'published';

-- +goose StatementBegin
-- Lets no Draft be published whose claims fail the gate: each one supported
-- and cited, each legal one by enough distinct pages, one of them
-- authoritative. Runs as the owner so that no row policy can hide a claim.
CREATE FUNCTION blogposter.gate_publication() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = ''
AS $$
DECLARE
    v_need int;
    v_bad text;
BEGIN
    IF NOT EXISTS (SELECT FROM blogposter.drafts d WHERE d.id = NEW.draft_id AND d.checked_at IS NOT NULL AND d.digest = NEW.digest) THEN
        RAISE EXCEPTION 'draft % was not fact-checked, or its digest is not the approved one', NEW.draft_id USING ERRCODE = 'BP003';
    END IF;
    IF NOT EXISTS (SELECT FROM blogposter.claims c WHERE c.draft_id = NEW.draft_id) THEN
        RAISE EXCEPTION 'draft % has no claims: an article that says nothing checkable is not published', NEW.draft_id USING ERRCODE = 'BP003';
    END IF;
    SELECT greatest(1, coalesce((s.rules ->> 'legal_min_sources')::int, 2)) INTO v_need
    FROM blogposter.sites s WHERE s.id = NEW.site_id;
    SELECT c.text INTO v_bad
    FROM blogposter.claims c
    LEFT JOIN LATERAL (
        SELECT count(DISTINCT rtrim(p.url, '/')) AS pages, coalesce(bool_or(p.tier = 'authoritative'), false) AS law
        FROM blogposter.citations t JOIN blogposter.snapshots p ON p.id = t.snapshot_id
        WHERE t.draft_id = c.draft_id AND t.claim_n = c.n
    ) cited ON true
    WHERE c.draft_id = NEW.draft_id
      AND (c.verdict <> 'supported' OR cited.pages < 1 OR (c.legal AND (cited.pages < v_need OR NOT cited.law)))
    ORDER BY c.n LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'draft % has a claim that fails the gate: %', NEW.draft_id, v_bad USING ERRCODE = 'BP003';
    END IF;
    RETURN NEW;
END $$;
-- +goose StatementEnd
REVOKE ALL ON FUNCTION blogposter.gate_publication() FROM PUBLIC;
CREATE TRIGGER gate BEFORE INSERT OR UPDATE ON blogposter.publications
    FOR EACH ROW EXECUTE FUNCTION blogposter.gate_publication();

ALTER TABLE blogposter.decisions ENABLE ROW LEVEL SECURITY;
ALTER TABLE blogposter.publications ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_site ON blogposter.decisions USING (site_id = blogposter.current_site());
CREATE POLICY own_site ON blogposter.publications USING (site_id = blogposter.current_site());
GRANT SELECT, INSERT ON blogposter.decisions, blogposter.publications TO blogposter_functions;
GRANT UPDATE (state, post_id, url, published_at) ON blogposter.publications TO blogposter_functions;

-- What was decided on stays as it was: its rendering, its claims, its evidence.
CREATE POLICY undecided ON blogposter.drafts AS RESTRICTIVE FOR UPDATE TO blogposter_functions
    USING (NOT EXISTS (SELECT FROM blogposter.decisions d WHERE d.draft_id = drafts.id));
CREATE POLICY undecided_delete ON blogposter.claims AS RESTRICTIVE FOR DELETE TO blogposter_functions
    USING (NOT EXISTS (SELECT FROM blogposter.decisions d WHERE d.draft_id = claims.draft_id));
CREATE POLICY undecided_insert ON blogposter.claims AS RESTRICTIVE FOR INSERT TO blogposter_functions
    WITH CHECK (NOT EXISTS (SELECT FROM blogposter.decisions d WHERE d.draft_id = claims.draft_id));
CREATE POLICY undecided_delete ON blogposter.citations AS RESTRICTIVE FOR DELETE TO blogposter_functions
    USING (NOT EXISTS (SELECT FROM blogposter.decisions d WHERE d.draft_id = citations.draft_id));
CREATE POLICY undecided_insert ON blogposter.citations AS RESTRICTIVE FOR INSERT TO blogposter_functions
    WITH CHECK (NOT EXISTS (SELECT FROM blogposter.decisions d WHERE d.draft_id = citations.draft_id));
