-- +goose Up
-- A spending limit and what was taken from it. An article's budget is made with
-- its run. All amounts are micro-dollars. overrun is what calls cost beyond
-- their reservation; it is 0 unless a provider charged more than its own
-- worst case, and it is what keeps the CHECK true to the facts then.
CREATE TABLE blogposter.budgets (
    id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    site_id         bigint NOT NULL REFERENCES blogposter.sites,
    scope           text NOT NULL CHECK (scope IN ('article')),
    run_id          bigint NOT NULL UNIQUE,
    limit_micros    bigint NOT NULL CHECK (limit_micros > 0),
    reserved_micros bigint NOT NULL DEFAULT 0 CHECK (reserved_micros >= 0),
    spent_micros    bigint NOT NULL DEFAULT 0 CHECK (spent_micros >= 0),
    unknown_micros  bigint NOT NULL DEFAULT 0 CHECK (unknown_micros >= 0),
    overrun_micros  bigint NOT NULL DEFAULT 0 CHECK (overrun_micros >= 0),
    FOREIGN KEY (run_id, site_id) REFERENCES blogposter.runs (id, site_id) ON DELETE CASCADE,
    CONSTRAINT budgets_never_crossed CHECK (reserved_micros + spent_micros + unknown_micros <= limit_micros + overrun_micros)
);

-- The journal: one row for each external call of a run, whatever the attempt.
-- sent: intent committed, answer not stored. unknown: the answer was lost.
-- external is a name of ours that the provider keeps with the call (a batch's
-- custom id): a call that has one is looked up by it and never sent again.
CREATE TABLE blogposter.steps (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    run_id      bigint NOT NULL,
    site_id     bigint NOT NULL,
    epoch       int NOT NULL,
    stage       text NOT NULL,
    name        text NOT NULL CHECK (name <> ''),
    input_hash  text NOT NULL CHECK (input_hash ~ '^[0-9a-f]{64}$'),
    provider    text NOT NULL,
    model       text NOT NULL DEFAULT '',
    prompt      text NOT NULL DEFAULT '',
    state       text NOT NULL CHECK (state IN ('sent', 'done', 'failed', 'unknown')),
    sends       int NOT NULL DEFAULT 0 CHECK (sends >= 0),
    reserved    bigint NOT NULL DEFAULT 0 CHECK (reserved >= 0), -- by the send under way
    fence       bigint NOT NULL,
    sent_at     timestamptz NOT NULL DEFAULT clock_timestamp(),
    finished_at timestamptz,
    result      jsonb,
    external    text NOT NULL DEFAULT '',
    request     text NOT NULL DEFAULT '', -- the provider's id of the call
    error       text,
    UNIQUE (run_id, epoch, stage, name, input_hash),
    UNIQUE (id, site_id),
    FOREIGN KEY (run_id, site_id) REFERENCES blogposter.runs (id, site_id) ON DELETE CASCADE,
    CONSTRAINT steps_result_iff_done CHECK ((state = 'done') = (result IS NOT NULL)),
    CONSTRAINT steps_reserved_while_sent CHECK (reserved = 0 OR state = 'sent')
);

-- Append-only. A send has one reservation and at most one of settlement,
-- release, unknown; a later correction settles an unknown. A line names its
-- step in full and refers to no other row but its run, so that it outlives the
-- journal and can be written again from elsewhere.
CREATE TABLE blogposter.entries (
    id             bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at             timestamptz NOT NULL DEFAULT clock_timestamp(),
    site_id        bigint NOT NULL,
    run_id         bigint NOT NULL,
    epoch          int NOT NULL,
    stage          text NOT NULL,
    step           text NOT NULL,
    input_hash     text NOT NULL,
    send           int NOT NULL CHECK (send > 0),
    attempt        int NOT NULL,
    kind           text NOT NULL CHECK (kind IN ('reservation', 'settlement', 'release', 'unknown', 'correction')),
    provider       text NOT NULL,
    model          text NOT NULL,
    micros         bigint NOT NULL CHECK (micros >= 0 OR kind = 'correction'),
    input          bigint NOT NULL DEFAULT 0 CHECK (input >= 0),
    output         bigint NOT NULL DEFAULT 0 CHECK (output >= 0),
    cache_read     bigint NOT NULL DEFAULT 0 CHECK (cache_read >= 0),
    cache_write_5m bigint NOT NULL DEFAULT 0 CHECK (cache_write_5m >= 0),
    cache_write_1h bigint NOT NULL DEFAULT 0 CHECK (cache_write_1h >= 0),
    request        text NOT NULL DEFAULT '',
    FOREIGN KEY (run_id, site_id) REFERENCES blogposter.runs (id, site_id)
);
CREATE UNIQUE INDEX entries_one_reservation ON blogposter.entries (run_id, epoch, stage, step, input_hash, send) WHERE kind = 'reservation';
CREATE UNIQUE INDEX entries_one_ending ON blogposter.entries (run_id, epoch, stage, step, input_hash, send)
    WHERE kind IN ('settlement', 'release', 'unknown');
CREATE INDEX entries_of_run ON blogposter.entries (run_id, id);
CREATE INDEX entries_of_site ON blogposter.entries (site_id, at);

ALTER TABLE blogposter.budgets ENABLE ROW LEVEL SECURITY;
ALTER TABLE blogposter.steps ENABLE ROW LEVEL SECURITY;
ALTER TABLE blogposter.entries ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_site ON blogposter.budgets USING (site_id = blogposter.current_site());
CREATE POLICY own_site ON blogposter.steps USING (site_id = blogposter.current_site());
CREATE POLICY own_site ON blogposter.entries USING (site_id = blogposter.current_site());
-- A limit is set once, with its run; what a step stands for is never changed.
GRANT SELECT, INSERT ON blogposter.budgets, blogposter.steps, blogposter.entries TO blogposter_functions;
GRANT UPDATE (reserved_micros, spent_micros, unknown_micros, overrun_micros) ON blogposter.budgets TO blogposter_functions;
-- A stored answer is final, and only a reconciliation corrects the ledger.
CREATE POLICY not_done ON blogposter.steps AS RESTRICTIVE FOR UPDATE TO blogposter_functions USING (state <> 'done') WITH CHECK (true);
CREATE POLICY no_correction ON blogposter.entries AS RESTRICTIVE FOR INSERT TO blogposter_functions WITH CHECK (kind <> 'correction');
GRANT UPDATE (state, sends, reserved, fence, sent_at, finished_at, result, request, error) ON blogposter.steps TO blogposter_functions;

-- +goose StatementBegin
-- Turns every paid call of a run that was sent and never ended into an unknown
-- one: whoever sent it is gone. Its reservation stays charged. Called where a
-- lease begins or ends, so that no loss stays hidden behind a later denial.
CREATE FUNCTION blogposter.lose_sent_steps(p_run bigint, p_attempt int) RETURNS void
LANGUAGE plpgsql SET search_path = ''
AS $$
DECLARE
    s blogposter.steps%ROWTYPE;
BEGIN
    FOR s IN SELECT * FROM blogposter.steps t WHERE t.run_id = p_run AND t.state = 'sent' AND t.external = '' FOR UPDATE LOOP
        IF s.reserved > 0 THEN
            UPDATE blogposter.budgets SET reserved_micros = reserved_micros - s.reserved, unknown_micros = unknown_micros + s.reserved
            WHERE run_id = p_run;
            INSERT INTO blogposter.entries (site_id, run_id, epoch, stage, step, input_hash, send, attempt, kind, provider, model, micros)
            VALUES (s.site_id, p_run, s.epoch, s.stage, s.name, s.input_hash, s.sends, p_attempt, 'unknown', s.provider, s.model, s.reserved);
        END IF;
        UPDATE blogposter.steps SET state = 'unknown', reserved = 0, finished_at = clock_timestamp(),
               error = 'its worker ended before the answer was stored'
        WHERE id = s.id;
    END LOOP;
END $$;
-- +goose StatementEnd

-- +goose StatementBegin
-- Commits the intent of a call with its worst case reserved, or returns the
-- stored answer. A step that is still under way under a name the provider
-- keeps (external) is pending: it is looked up, not sent again.
CREATE FUNCTION blogposter.begin_step(
    p_run bigint, p_owner text, p_fence bigint, p_ttl interval, p_epoch int, p_stage text, p_attempt int,
    p_name text, p_hash text, p_provider text, p_model text, p_prompt text, p_external text, p_worst bigint)
RETURNS TABLE (step_id bigint, send int, stored jsonb, pending boolean)
LANGUAGE plpgsql SET search_path = ''
AS $$
DECLARE
    s blogposter.steps%ROWTYPE;
    b blogposter.budgets%ROWTYPE;
    v_site bigint := blogposter.current_site();
BEGIN
    PERFORM blogposter.hold_lease(p_run, p_owner, p_fence, p_ttl);
    SELECT * INTO s FROM blogposter.steps t
    WHERE t.run_id = p_run AND t.epoch = p_epoch AND t.stage = p_stage AND t.name = p_name AND t.input_hash = p_hash;
    IF s.state = 'done' THEN
        RETURN QUERY SELECT s.id, s.sends, s.result, false;
        RETURN;
    ELSIF s.state = 'sent' AND s.external <> '' THEN
        RETURN QUERY SELECT s.id, s.sends, NULL::jsonb, true;
        RETURN;
    ELSIF s.state = 'sent' THEN
        -- The lease began with no step in this state, and its holder waits for each answer.
        RAISE EXCEPTION 'step % of run % is under way already', p_name, p_run USING ERRCODE = 'BP001';
    END IF;
    IF p_worst > 0 THEN
        UPDATE blogposter.budgets SET reserved_micros = reserved_micros + p_worst
        WHERE run_id = p_run AND reserved_micros + spent_micros + unknown_micros + p_worst <= limit_micros;
        IF NOT FOUND THEN
            SELECT * INTO b FROM blogposter.budgets WHERE run_id = p_run;
            RAISE EXCEPTION 'step % needs % of % micro-dollars left in the article budget of %',
                p_name, p_worst, b.limit_micros - b.reserved_micros - b.spent_micros - b.unknown_micros, b.limit_micros
                USING ERRCODE = 'BP002';
        END IF;
    END IF;
    IF s.id IS NULL THEN
        INSERT INTO blogposter.steps (run_id, site_id, epoch, stage, name, input_hash, provider, model, prompt, external, state, sends, reserved, fence)
        VALUES (p_run, v_site, p_epoch, p_stage, p_name, p_hash, p_provider, p_model, p_prompt, p_external, 'sent', 1, p_worst, p_fence)
        RETURNING * INTO s;
    ELSE
        UPDATE blogposter.steps t SET state = 'sent', sends = t.sends + 1, reserved = p_worst, fence = p_fence,
               sent_at = clock_timestamp(), finished_at = NULL, error = NULL
        WHERE t.id = s.id RETURNING t.* INTO s;
    END IF;
    IF p_worst > 0 THEN
        INSERT INTO blogposter.entries (site_id, run_id, epoch, stage, step, input_hash, send, attempt, kind, provider, model, micros)
        VALUES (v_site, p_run, p_epoch, p_stage, p_name, p_hash, s.sends, p_attempt, 'reservation', p_provider, p_model, p_worst);
    END IF;
    RETURN QUERY SELECT s.id, s.sends, NULL::jsonb, false;
END $$;
-- +goose StatementEnd

-- +goose StatementBegin
-- Stores a call's answer and settles its reservation (p_state 'done'), or ends
-- a call that brought none: 'failed' charges p_cost and releases the rest,
-- 'unknown' leaves the reservation charged.
CREATE FUNCTION blogposter.end_step(
    p_run bigint, p_owner text, p_fence bigint, p_ttl interval, p_attempt int, p_step bigint, p_send int,
    p_state text, p_result jsonb, p_error text, p_request text, p_cost bigint,
    p_input bigint, p_output bigint, p_cache_read bigint, p_cache_write_5m bigint, p_cache_write_1h bigint)
RETURNS void
LANGUAGE plpgsql SET search_path = ''
AS $$
DECLARE
    s blogposter.steps%ROWTYPE;
    v_kind text;
BEGIN
    PERFORM blogposter.hold_lease(p_run, p_owner, p_fence, p_ttl);
    SELECT * INTO s FROM blogposter.steps t
    WHERE t.id = p_step AND t.run_id = p_run AND t.sends = p_send AND t.state = 'sent' FOR UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'step % of run % is not under way', p_step, p_run USING ERRCODE = 'BP001';
    END IF;
    UPDATE blogposter.steps t SET state = p_state, result = p_result, error = p_error, request = p_request,
           reserved = 0, finished_at = clock_timestamp()
    WHERE t.id = p_step;
    IF s.reserved = 0 AND p_cost = 0 THEN
        RETURN; -- an unpaid call has no entries
    END IF;
    IF p_state = 'unknown' THEN
        v_kind := 'unknown';
        UPDATE blogposter.budgets SET reserved_micros = reserved_micros - s.reserved, unknown_micros = unknown_micros + s.reserved
        WHERE run_id = p_run;
    ELSE
        v_kind := CASE WHEN p_state = 'failed' AND p_cost = 0 THEN 'release' ELSE 'settlement' END;
        UPDATE blogposter.budgets SET reserved_micros = reserved_micros - s.reserved, spent_micros = spent_micros + p_cost,
               overrun_micros = overrun_micros + greatest(0, p_cost - s.reserved)
        WHERE run_id = p_run;
    END IF;
    INSERT INTO blogposter.entries (site_id, run_id, epoch, stage, step, input_hash, send, attempt, kind, provider, model, micros,
                                    input, output, cache_read, cache_write_5m, cache_write_1h, request)
    VALUES (s.site_id, p_run, s.epoch, s.stage, s.name, s.input_hash, s.sends, p_attempt, v_kind, s.provider, s.model,
            CASE v_kind WHEN 'settlement' THEN p_cost ELSE s.reserved END,
            p_input, p_output, p_cache_read, p_cache_write_5m, p_cache_write_1h, p_request);
END $$;
-- +goose StatementEnd
