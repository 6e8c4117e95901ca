-- +goose Up
CREATE TABLE blogposter.runs (
    id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    site_id         bigint NOT NULL REFERENCES blogposter.sites,
    topic           text NOT NULL CHECK (char_length(topic) BETWEEN 3 AND 200),
    urls            text[] NOT NULL DEFAULT '{}',
    publish_at      timestamptz,
    created_by      text NOT NULL,
    created_at      timestamptz NOT NULL DEFAULT now(),
    updated_at      timestamptz NOT NULL DEFAULT now(),
    finished_at     timestamptz,
    idempotency_key text,
    request_hash    text CHECK (request_hash ~ '^[0-9a-f]{64}$'),
    pins            jsonb NOT NULL CHECK (pins ?& ARRAY['prompts', 'small', 'large']),
    epoch           int NOT NULL DEFAULT 1 CHECK (epoch > 0),
    -- Finds the run's post on its site again. Random, since ids begin anew in
    -- another database that publishes to the same site.
    marker          text NOT NULL UNIQUE DEFAULT 'bp-' || replace(gen_random_uuid()::text, '-', '') CHECK (marker ~ '^bp-[0-9a-f]{32}$'),

    stage       text NOT NULL CHECK (stage IN ('draft', 'factcheck', 'seo', 'review', 'publish')),
    state       text NOT NULL CHECK (state IN ('ready', 'running', 'waiting', 'done', 'failed', 'cancelled')),
    waiting     text CHECK (waiting IN ('approval', 'budget', 'person', 'poison')),
    attempt     int NOT NULL DEFAULT 0 CHECK (attempt >= 0),
    lost_leases int NOT NULL DEFAULT 0 CHECK (lost_leases >= 0),
    not_before  timestamptz NOT NULL DEFAULT now(),
    lease_owner text,
    lease_until timestamptz,
    fence       bigint NOT NULL DEFAULT 0 CHECK (fence >= 0),
    error       text,
    error_kind  text CHECK (error_kind IN ('retryable', 'permanent', 'needs_human')),

    UNIQUE (id, site_id), -- what children refer to, so that they belong to the same site
    UNIQUE (site_id, idempotency_key),
    CONSTRAINT runs_lease_iff_running CHECK ((state = 'running') = (lease_owner IS NOT NULL) AND (state = 'running') = (lease_until IS NOT NULL)),
    CONSTRAINT runs_waiting_iff_waiting CHECK ((state = 'waiting') = (waiting IS NOT NULL)),
    CONSTRAINT runs_finished_iff_ended CHECK ((state IN ('done', 'failed', 'cancelled')) = (finished_at IS NOT NULL)),
    CONSTRAINT runs_approval_is_review CHECK ((stage = 'review') = (waiting IS NOT DISTINCT FROM 'approval') OR state = 'cancelled'),
    CONSTRAINT runs_done_is_published CHECK (state <> 'done' OR stage = 'publish'),
    CONSTRAINT runs_key_has_request CHECK ((idempotency_key IS NULL) = (request_hash IS NULL))
);
-- What lease_run and due_stages look through: only live rows, however many have finished.
CREATE INDEX runs_ready ON blogposter.runs (stage, not_before, id) WHERE state = 'ready';
CREATE INDEX runs_running ON blogposter.runs (stage, lease_until) WHERE state = 'running';
CREATE INDEX runs_of_site ON blogposter.runs (site_id, id DESC);
CREATE INDEX runs_waiting ON blogposter.runs (site_id, id DESC) WHERE state = 'waiting';

-- One row for each lease: the tries, and the leases that were lost.
CREATE TABLE blogposter.attempts (
    run_id      bigint NOT NULL,
    fence       bigint NOT NULL,
    site_id     bigint NOT NULL,
    stage       text NOT NULL,
    attempt     int NOT NULL CHECK (attempt > 0),
    owner       text NOT NULL,
    started_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
    finished_at timestamptz,
    result      text CHECK (result IN ('done', 'retry', 'waiting', 'failed', 'continued', 'lost')),
    error       text,
    error_kind  text,
    PRIMARY KEY (run_id, fence),
    FOREIGN KEY (run_id, site_id) REFERENCES blogposter.runs (id, site_id) ON DELETE CASCADE,
    CHECK ((finished_at IS NULL) = (result IS NULL))
);

-- Every transition of a Run: the page "why is this stuck, what next" is a query.
CREATE TABLE blogposter.events (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    run_id     bigint NOT NULL,
    site_id    bigint NOT NULL,
    at         timestamptz NOT NULL DEFAULT clock_timestamp(),
    kind       text NOT NULL CHECK (kind IN ('created', 'leased', 'lost', 'finished', 'decided', 'parked')),
    stage      text NOT NULL,
    state      text NOT NULL,
    attempt    int NOT NULL,
    detail     text NOT NULL DEFAULT '',
    FOREIGN KEY (run_id, site_id) REFERENCES blogposter.runs (id, site_id) ON DELETE CASCADE
);
CREATE INDEX events_of_run ON blogposter.events (run_id, id);

ALTER TABLE blogposter.runs ENABLE ROW LEVEL SECURITY;
ALTER TABLE blogposter.attempts ENABLE ROW LEVEL SECURITY;
ALTER TABLE blogposter.events ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_site ON blogposter.runs USING (site_id = blogposter.current_site());
CREATE POLICY own_site ON blogposter.attempts USING (site_id = blogposter.current_site());
CREATE POLICY own_site ON blogposter.events USING (site_id = blogposter.current_site());
-- What a run was asked for, and what it was pinned to, is never changed.
GRANT SELECT, INSERT ON blogposter.runs TO blogposter_functions;
GRANT UPDATE (stage, state, waiting, attempt, lost_leases, not_before, lease_owner, lease_until, fence, error, error_kind, updated_at, finished_at)
    ON blogposter.runs TO blogposter_functions;
GRANT SELECT ON blogposter.attempts TO blogposter_functions;
GRANT UPDATE (finished_at, result, error, error_kind) ON blogposter.attempts TO blogposter_functions;
GRANT SELECT, INSERT ON blogposter.events TO blogposter_functions;

-- lose_sent_steps, which the functions below call, stands with the ledger in the next migration.

-- +goose StatementBegin
-- Hands one due run of a stage to p_owner. A run whose lease ended is due
-- again: its last worker died or stalled, which is counted apart from attempts;
-- one that costs too many workers their lease is parked as poison. Sees all
-- sites, returns no content. All times are this server's.
CREATE FUNCTION blogposter.lease_run(p_stage text, p_owner text, p_ttl interval, p_max_lost int)
RETURNS TABLE (run_id bigint, site_id bigint, attempt int, epoch int, fence bigint, pins jsonb)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = ''
AS $$
DECLARE
    r blogposter.runs%ROWTYPE;
    poisoned boolean;
BEGIN
    LOOP
        SELECT u.* INTO r FROM blogposter.runs u
        WHERE u.stage = p_stage AND u.state = 'ready' AND u.not_before <= now()
        ORDER BY u.not_before, u.id LIMIT 1 FOR UPDATE SKIP LOCKED;
        IF NOT FOUND THEN
            SELECT u.* INTO r FROM blogposter.runs u
            WHERE u.stage = p_stage AND u.state = 'running' AND u.lease_until < now()
            ORDER BY u.lease_until LIMIT 1 FOR UPDATE SKIP LOCKED;
            EXIT WHEN NOT FOUND;
        END IF;

        IF r.state = 'running' THEN
            poisoned := r.lost_leases + 1 >= p_max_lost;
            UPDATE blogposter.attempts a SET result = 'lost', finished_at = clock_timestamp()
            WHERE a.run_id = r.id AND a.fence = r.fence;
            INSERT INTO blogposter.events (run_id, site_id, kind, stage, state, attempt, detail)
            VALUES (r.id, r.site_id, 'lost', r.stage, CASE WHEN poisoned THEN 'waiting' ELSE 'running' END, r.attempt,
                    format('worker %s lost its lease (%s of at most %s)', r.lease_owner, r.lost_leases + 1, p_max_lost));
            IF poisoned THEN
                PERFORM blogposter.lose_sent_steps(r.id, r.attempt);
                UPDATE blogposter.runs u SET state = 'waiting', waiting = 'poison', lease_owner = NULL, lease_until = NULL,
                       lost_leases = r.lost_leases + 1, updated_at = now(), error_kind = 'needs_human',
                       error = format('%s workers in a row died or stalled on this run', r.lost_leases + 1)
                WHERE u.id = r.id;
                CONTINUE;
            END IF;
            r.lost_leases := r.lost_leases + 1; -- the same attempt, begun again
        ELSE
            r.attempt := r.attempt + 1;
        END IF;

        UPDATE blogposter.runs u SET state = 'running', attempt = r.attempt, lost_leases = r.lost_leases,
               lease_owner = p_owner, lease_until = now() + p_ttl, fence = r.fence + 1, updated_at = now()
        WHERE u.id = r.id;
        PERFORM blogposter.lose_sent_steps(r.id, r.attempt);
        INSERT INTO blogposter.attempts (run_id, fence, site_id, stage, attempt, owner)
        VALUES (r.id, r.fence + 1, r.site_id, r.stage, r.attempt, p_owner);
        INSERT INTO blogposter.events (run_id, site_id, kind, stage, state, attempt, detail)
        VALUES (r.id, r.site_id, 'leased', r.stage, 'running', r.attempt, p_owner);
        RETURN QUERY SELECT r.id, r.site_id, r.attempt, r.epoch, r.fence + 1, r.pins;
        RETURN;
    END LOOP;
END $$;
-- +goose StatementEnd

-- +goose StatementBegin
-- The stages that have due runs, for tick. Sees all sites, returns no content.
CREATE FUNCTION blogposter.due_stages() RETURNS TABLE (stage text, due bigint)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = ''
AS $$
    SELECT d.stage, count(*) FROM (
        SELECT r.stage FROM blogposter.runs r WHERE r.state = 'ready' AND r.not_before <= now()
        UNION ALL
        SELECT r.stage FROM blogposter.runs r WHERE r.state = 'running' AND r.lease_until < now()
    ) d GROUP BY d.stage
$$;
-- +goose StatementEnd

-- +goose StatementBegin
-- Checks that a worker still holds a run, locks the run and extends the lease.
CREATE FUNCTION blogposter.hold_lease(p_run bigint, p_owner text, p_fence bigint, p_ttl interval) RETURNS void
LANGUAGE plpgsql SET search_path = ''
AS $$
BEGIN
    UPDATE blogposter.runs SET lease_until = greatest(lease_until, now() + p_ttl)
    WHERE id = p_run AND state = 'running' AND lease_owner = p_owner AND fence = p_fence;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'lease lost: run %, fence %', p_run, p_fence USING ERRCODE = 'BP001';
    END IF;
END $$;
-- +goose StatementEnd

-- +goose StatementBegin
-- Writes what an attempt means for its run, and ends the lease.
CREATE FUNCTION blogposter.finish_attempt(
    p_run bigint, p_owner text, p_fence bigint, p_result text, p_stage text, p_state text, p_waiting text,
    p_delay interval, p_kind text, p_error text, p_detail text) RETURNS void
LANGUAGE plpgsql SET search_path = ''
AS $$
DECLARE
    r blogposter.runs%ROWTYPE;
BEGIN
    SELECT * INTO r FROM blogposter.runs
    WHERE id = p_run AND state = 'running' AND lease_owner = p_owner AND fence = p_fence FOR UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'lease lost: run %, fence %', p_run, p_fence USING ERRCODE = 'BP001';
    END IF;
    UPDATE blogposter.runs SET stage = p_stage, state = p_state, waiting = p_waiting,
           attempt = CASE p_result WHEN 'done' THEN 0 WHEN 'continued' THEN attempt - 1 ELSE attempt END,
           lost_leases = CASE WHEN p_result = 'done' THEN 0 ELSE lost_leases END,
           not_before = greatest(now() + p_delay, CASE WHEN p_stage = 'publish' THEN publish_at END),
           lease_owner = NULL, lease_until = NULL, updated_at = now(), error = p_error, error_kind = p_kind,
           finished_at = CASE WHEN p_state IN ('done', 'failed', 'cancelled') THEN clock_timestamp() END
    WHERE id = p_run;
    PERFORM blogposter.lose_sent_steps(p_run, r.attempt);
    UPDATE blogposter.attempts SET result = p_result, finished_at = clock_timestamp(), error = p_error, error_kind = p_kind
    WHERE run_id = p_run AND fence = p_fence;
    INSERT INTO blogposter.events (run_id, site_id, kind, stage, state, attempt, detail)
    VALUES (p_run, r.site_id, 'finished', p_stage, p_state, r.attempt,
            concat_ws(': ', r.stage || ' ' || p_result, nullif(p_detail, ''), p_error));
END $$;
-- +goose StatementEnd

REVOKE ALL ON FUNCTION blogposter.lease_run(text, text, interval, int), blogposter.due_stages() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION blogposter.lease_run(text, text, interval, int), blogposter.due_stages() TO blogposter_functions;
