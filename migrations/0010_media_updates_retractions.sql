-- +goose Up
-- Pictures of a draft, as approved: role, hash of the bytes (in the artifact
-- store), type, size in pixels, alternative text, file name.
ALTER TABLE blogposter.drafts ADD COLUMN media jsonb NOT NULL DEFAULT '[]' CHECK (jsonb_typeof(media) = 'array');
GRANT UPDATE (media) ON blogposter.drafts TO blogposter_functions;

-- A file in a site's media library, found again by the hash of its bytes.
CREATE TABLE blogposter.media (
    site_id    bigint NOT NULL REFERENCES blogposter.sites ON DELETE CASCADE,
    hash       text NOT NULL CHECK (hash ~ '^[0-9a-f]{64}$'),
    media_id   bigint NOT NULL CHECK (media_id > 0),
    url        text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (site_id, hash)
);
ALTER TABLE blogposter.media ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_site ON blogposter.media USING (site_id = blogposter.current_site());
GRANT SELECT, INSERT ON blogposter.media TO blogposter_functions;
GRANT UPDATE (media_id, url) ON blogposter.media TO blogposter_functions;

-- A newer version of an article replaces the one before on the same post;
-- either can be taken back.
ALTER TABLE blogposter.publications
    ADD COLUMN replaces_id bigint,
    ADD COLUMN ended_at timestamptz, -- when it was superseded or retracted
    ADD COLUMN ended_why text NOT NULL DEFAULT '',
    DROP CONSTRAINT publications_state_check,
    DROP CONSTRAINT publications_site_id_post_id_key,
    DROP CONSTRAINT publications_post_known,
    DROP CONSTRAINT publications_public_is_known,
    ADD UNIQUE (id, site_id),
    ADD FOREIGN KEY (replaces_id, site_id) REFERENCES blogposter.publications (id, site_id),
    ADD CONSTRAINT publications_state_check CHECK (state IN ('intent', 'draft', 'published', 'superseded', 'retracted')),
    ADD CONSTRAINT publications_post_known CHECK ((state = 'intent') = (post_id IS NULL)),
    ADD CONSTRAINT publications_public_is_known
        CHECK ((state IN ('published', 'superseded', 'retracted')) = (published_at IS NOT NULL) AND (state IN ('intent', 'draft') OR url <> '')),
    ADD CONSTRAINT publications_ended CHECK ((state IN ('superseded', 'retracted')) = (ended_at IS NOT NULL));
CREATE UNIQUE INDEX publications_one_per_post ON blogposter.publications (site_id, post_id) WHERE state IN ('draft', 'published');
GRANT UPDATE (ended_at, ended_why) ON blogposter.publications TO blogposter_functions;
ALTER TABLE blogposter.runs ADD FOREIGN KEY (target_id, site_id) REFERENCES blogposter.publications (id, site_id);
-- An article is taken back once, however often that is asked for.
CREATE UNIQUE INDEX runs_one_retraction ON blogposter.runs (target_id) WHERE kind = 'retraction' AND state IN ('ready', 'running', 'waiting', 'done');
CREATE INDEX runs_of_target ON blogposter.runs (target_id) WHERE target_id IS NOT NULL;

-- +goose StatementBegin
-- Lets no Draft be published whose claims fail the gate: each one supported
-- and cited, each legal one by enough distinct pages, one of them
-- authoritative. Runs as the owner so that no row policy can hide a claim.
-- Taking an article back passes no gate.
CREATE OR REPLACE FUNCTION blogposter.gate_publication() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = ''
AS $$
DECLARE
    v_need int;
    v_bad text;
BEGIN
    IF NEW.state IN ('superseded', 'retracted') AND TG_OP = 'UPDATE' THEN
        RETURN NEW;
    END IF;
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
