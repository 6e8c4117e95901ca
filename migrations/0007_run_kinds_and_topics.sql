-- +goose Up
-- A subject worth writing on, with why: what the last research pass made of
-- the competitors' pages. key is the subject in one normal form, so that a
-- later pass finds it again; each term carries its data, its age or "unknown".
CREATE TABLE blogposter.topics (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    site_id      bigint NOT NULL REFERENCES blogposter.sites,
    key          text NOT NULL CHECK (key <> ''),
    title        text NOT NULL CHECK (char_length(title) BETWEEN 3 AND 200),
    keyphrase    text NOT NULL DEFAULT '',
    state        text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'taken', 'dismissed', 'stale')),
    kind         text NOT NULL CHECK (kind IN ('gap', 'angle', 'duplicate')), -- against what the site has published
    score        numeric(5, 4) NOT NULL CHECK (score BETWEEN 0 AND 1),
    known_weight numeric(5, 4) NOT NULL CHECK (known_weight BETWEEN 0 AND 1), -- of the five weights, those whose data was there
    terms        jsonb NOT NULL CHECK (jsonb_typeof(terms) = 'array'),
    pages        jsonb NOT NULL CHECK (jsonb_typeof(pages) = 'array'),
    similarity   numeric(5, 4), -- to the site's nearest article; NULL when it has none
    nearest_url  text NOT NULL DEFAULT '',
    model        text NOT NULL CHECK (model <> ''), -- whose vectors the figures come from
    why          text NOT NULL,
    scored_at    timestamptz NOT NULL DEFAULT now(),
    created_at   timestamptz NOT NULL DEFAULT now(),
    taken_by     bigint, -- the run that writes on it
    UNIQUE (site_id, key),
    UNIQUE (id, site_id),
    CONSTRAINT topics_taken_by_a_run CHECK ((state = 'taken') = (taken_by IS NOT NULL))
);
CREATE INDEX topics_open ON blogposter.topics (site_id, score DESC, id) WHERE state = 'open';

-- article: one article's trip. research: one look at the competitors, and what
-- it makes worth writing on. retraction: one article is taken off its site, or
-- set back to the version before.
ALTER TABLE blogposter.runs
    ADD COLUMN kind text NOT NULL DEFAULT 'article' CHECK (kind IN ('article', 'research', 'retraction')),
    ADD COLUMN topic_id bigint,
    ADD COLUMN target_id bigint, -- the publication that is updated or retracted
    ADD COLUMN reason text NOT NULL DEFAULT '',
    ADD COLUMN restore boolean NOT NULL DEFAULT false, -- a retraction brings back the version before
    ALTER COLUMN topic DROP NOT NULL,
    DROP CONSTRAINT runs_stage_check,
    DROP CONSTRAINT runs_done_is_published,
    ADD CONSTRAINT runs_stage_check CHECK (stage IN ('monitor', 'topic', 'draft', 'factcheck', 'seo', 'review', 'publish')),
    ADD CONSTRAINT runs_done_is_published CHECK (state <> 'done' OR stage = 'publish' OR (kind = 'research' AND stage = 'topic')),
    ADD CONSTRAINT runs_stage_of_kind CHECK (CASE kind WHEN 'research' THEN stage IN ('monitor', 'topic') WHEN 'retraction' THEN stage = 'publish' ELSE stage <> 'monitor' END),
    ADD CONSTRAINT runs_article_has_topic CHECK (topic IS NOT NULL OR kind = 'research' OR stage = 'topic'),
    ADD CONSTRAINT runs_retraction_has_target CHECK (kind <> 'retraction' OR (target_id IS NOT NULL AND reason <> '')),
    ADD FOREIGN KEY (topic_id, site_id) REFERENCES blogposter.topics (id, site_id);
ALTER TABLE blogposter.topics ADD FOREIGN KEY (taken_by, site_id) REFERENCES blogposter.runs (id, site_id);
CREATE UNIQUE INDEX runs_one_live_research ON blogposter.runs (site_id) WHERE kind = 'research' AND state IN ('ready', 'running');
CREATE INDEX runs_research ON blogposter.runs (site_id, created_at DESC) WHERE kind = 'research';
CREATE INDEX runs_publish_at ON blogposter.runs (site_id, publish_at) WHERE publish_at IS NOT NULL;
-- The newest event of a site says whether anything has changed since it was last shown.
CREATE INDEX events_of_site ON blogposter.events (site_id, id DESC);

ALTER TABLE blogposter.budgets
    DROP CONSTRAINT budgets_scope_check,
    ADD CONSTRAINT budgets_scope_check CHECK (scope IN ('article', 'research'));

ALTER TABLE blogposter.topics ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_site ON blogposter.topics USING (site_id = blogposter.current_site());
GRANT SELECT, INSERT ON blogposter.topics TO blogposter_functions;
GRANT UPDATE (title, keyphrase, state, kind, score, known_weight, terms, pages, similarity, nearest_url, model, why, scored_at)
    ON blogposter.topics TO blogposter_functions;

-- +goose StatementBegin
-- Gives a run the topic it writes on: the one way to set either. A run keeps
-- its first topic, and a topic its first run, so a repeated call with the same
-- pair does nothing. The run must be new or leased by who calls.
CREATE FUNCTION blogposter.take_topic(p_run bigint, p_topic bigint) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = ''
AS $$
DECLARE
    t blogposter.topics%ROWTYPE;
BEGIN
    SELECT * INTO t FROM blogposter.topics WHERE id = p_topic AND site_id = blogposter.current_site() FOR UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'there is no topic %', p_topic USING ERRCODE = 'BP004';
    ELSIF t.taken_by = p_run THEN
        RETURN;
    ELSIF t.state <> 'open' THEN
        RAISE EXCEPTION 'topic % is %', p_topic, t.state USING ERRCODE = 'BP004';
    END IF;
    UPDATE blogposter.runs SET topic = coalesce(topic, t.title), topic_id = t.id, updated_at = now()
    WHERE id = p_run AND site_id = t.site_id AND kind = 'article' AND topic_id IS NULL AND stage IN ('topic', 'draft')
      AND state IN ('ready', 'running');
    IF NOT FOUND THEN
        RAISE EXCEPTION 'run % takes no topic', p_run USING ERRCODE = 'BP004';
    END IF;
    UPDATE blogposter.topics SET state = 'taken', taken_by = p_run WHERE id = t.id;
END $$;
-- +goose StatementEnd
REVOKE ALL ON FUNCTION blogposter.take_topic(bigint, bigint) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION blogposter.take_topic(bigint, bigint) TO blogposter_functions;
