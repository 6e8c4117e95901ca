-- +goose Up
-- Deploys overlap. A release that knows no kinds of run would take a
-- retraction for an article without a draft, and would post an update as a
-- second article. What it calls hands out new articles alone; the releases
-- since then call this one with p_all.
-- +goose StatementBegin
-- Hands one due run of a stage to p_owner. A run whose lease ended is due
-- again: its last worker died or stalled, which is counted apart from attempts;
-- one that costs too many workers their lease is parked as poison. Sees all
-- sites, returns no content. All times are this server's.
CREATE FUNCTION blogposter.lease_run(p_stage text, p_owner text, p_ttl interval, p_max_lost int, p_all boolean)
RETURNS TABLE (run_id bigint, site_id bigint, attempt int, epoch int, fence bigint, pins jsonb)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = ''
AS $$
DECLARE
    r blogposter.runs%ROWTYPE;
    poisoned boolean;
BEGIN
    LOOP
        SELECT u.* INTO r FROM blogposter.runs u
        WHERE u.stage = p_stage AND u.state = 'ready' AND u.not_before <= now() AND (p_all OR u.kind = 'article' AND u.target_id IS NULL)
        ORDER BY u.not_before, u.id LIMIT 1 FOR UPDATE SKIP LOCKED;
        IF NOT FOUND THEN
            SELECT u.* INTO r FROM blogposter.runs u
            WHERE u.stage = p_stage AND u.state = 'running' AND u.lease_until < now() AND (p_all OR u.kind = 'article' AND u.target_id IS NULL)
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
CREATE OR REPLACE FUNCTION blogposter.lease_run(p_stage text, p_owner text, p_ttl interval, p_max_lost int)
RETURNS TABLE (run_id bigint, site_id bigint, attempt int, epoch int, fence bigint, pins jsonb)
LANGUAGE sql SECURITY DEFINER SET search_path = ''
AS $$ SELECT * FROM blogposter.lease_run(p_stage, p_owner, p_ttl, p_max_lost, false) $$;
-- +goose StatementEnd
REVOKE ALL ON FUNCTION blogposter.lease_run(text, text, interval, int, boolean) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION blogposter.lease_run(text, text, interval, int, boolean) TO blogposter_functions;
