-- One site with every kind of row there is, {{word}} in every text that is free. Its ids begin at {{first}}, so that no
-- other site has the same ones.
DO $$
DECLARE
    v_table text;
    v_site bigint;
    v_run bigint;
    v_draft bigint;
    v_snapshot bigint;
    v_competitor bigint;
    v_page bigint;
    v_topic bigint;
    v_digest text;
    v_state text;
    n int;
BEGIN
    FOR v_table IN SELECT table_name FROM information_schema.columns WHERE table_schema = 'blogposter' AND column_name = 'id' AND is_identity = 'YES' LOOP
        EXECUTE format('ALTER TABLE blogposter.%I ALTER COLUMN id RESTART WITH {{first}}', v_table);
    END LOOP;

    INSERT INTO blogposter.sites (slug, name, url, time_zone, language, audience, voice, author, categories, tags, rules, cms, article_budget_micros, research, schedule)
    VALUES ('{{word}}', '{{word}} name', 'https://{{word}}.example', 'UTC', 'en-US', '{{word}} readers', '{{word}} voice', '{{word}} desk',
            '{"{{word}} guides"}', '{"{{word}} tag"}',
            '{"legal_terms": ["{{word}} law"], "legal_min_sources": 1, "forbidden": [{"pattern": "{{word}} registry", "reason": "there is none"}],
              "disclaimers": ["{{word}} is no lawyer."], "ai_disclosure": "{{word}} was helped by a model.", "min_words": 10, "max_words": 100}',
            '{"kind": "wordpress", "url": "https://cms.{{word}}.example", "user": "{{word}}"}', 150000,
            '{"every_minutes": 360, "budget": 10000}', '{"days": ["mon", "wed", "fri"], "time": "10:00"}')
    RETURNING id INTO v_site;
    INSERT INTO blogposter.sources (site_id, prefix, tier, start) VALUES (v_site, 'https://{{word}}-law.example/', 'authoritative', true);
    INSERT INTO blogposter.credentials (site_id, name, key_id, sealed) VALUES (v_site, 'cms.password', '{{word}}-key', 'sealed {{word}}');
    INSERT INTO blogposter.media (site_id, hash, media_id, url) VALUES (v_site, repeat('b', 64), 7, 'https://{{word}}.example/x.png');
    INSERT INTO blogposter.vectors (site_id, model, text_hash, embedding) VALUES (v_site, '{{word}}-vectors', repeat('a', 64), '[1,2]');
    INSERT INTO blogposter.snapshots (site_id, url, title, tier, text_hash, raw_hash, text_bytes)
    VALUES (v_site, 'https://{{word}}-law.example/1', '{{word}} act', 'authoritative', repeat('c', 64), repeat('d', 64), 100) RETURNING id INTO v_snapshot;

    -- Two articles that are published, two drafts to review.
    FOR n IN 1..4 LOOP
        v_digest := encode(sha256(('{{word}}' || n)::bytea), 'hex');
        INSERT INTO blogposter.runs (site_id, topic, urls, publish_at, created_by, idempotency_key, request_hash, pins, stage, state, waiting, finished_at, reason)
        VALUES (v_site, '{{word}} topic ' || n, '{"https://{{word}}-law.example/1"}', NULL, '{{word}} ann', '{{word}}-key-' || n, repeat('e', 64),
                '{"prompts": "v1", "small": "{{word}}-small", "large": "{{word}}-large"}',
                CASE WHEN n <= 2 THEN 'publish' ELSE 'review' END, CASE WHEN n <= 2 THEN 'done' ELSE 'waiting' END,
                CASE WHEN n > 2 THEN 'approval' END, CASE WHEN n <= 2 THEN now() END, '{{word}} reason')
        RETURNING id INTO v_run;
        INSERT INTO blogposter.budgets (site_id, scope, run_id, limit_micros, spent_micros) VALUES (v_site, 'article', v_run, 150000, {{cost}} + n);
        INSERT INTO blogposter.attempts (run_id, fence, site_id, stage, attempt, owner, finished_at, result, error, error_kind)
        VALUES (v_run, 1, v_site, 'draft', 1, '{{word}} worker', now(), 'retry', '{{word}} error', 'retryable');
        INSERT INTO blogposter.events (run_id, site_id, kind, stage, state, attempt, detail) VALUES (v_run, v_site, 'created', 'draft', 'ready', 0, '{{word}} detail');
        INSERT INTO blogposter.run_sources (run_id, site_id, url, snapshot_id) VALUES (v_run, v_site, 'https://{{word}}-law.example/1', v_snapshot);
        INSERT INTO blogposter.run_sources (run_id, site_id, url, refused) VALUES (v_run, v_site, 'https://{{word}}-law.example/2', '{{word}} was empty');
        INSERT INTO blogposter.evidence (run_id, n, site_id, snapshot_id, point, quote, byte_start, byte_end)
        VALUES (v_run, 1, v_site, v_snapshot, '{{word}} point', '{{word}} may ride.', 0, octet_length('{{word}} may ride.'));
        INSERT INTO blogposter.drafts (run_id, site_id, version, title, slug, excerpt, meta_description, keyphrase, categories, tags, body, checked_at, markup, json_ld, digest, media)
        VALUES (v_run, v_site, 1, '{{word}} rides number ' || n, '{{word}}-rides', '{{word}} excerpt', '{{word}} description', '{{word}} phrase',
                '{"{{word}} guides"}', '{"{{word}} tag"}',
                '{"sections": [{"heading": "", "blocks": [{"kind": "paragraph", "items": [{"sentences": [{"text": "{{word}} may ride.", "evidence": [1]}]}]}]}]}',
                now(), '<p>{{word}} may ride.</p>', '{"name": "{{word}}"}', v_digest,
                jsonb_build_array(jsonb_build_object('role', 'featured', 'hash', repeat('b', 64), 'type', 'image/png', 'width', 1200, 'height', 630,
                    'alt', '{{word}} on a train', 'name', '{{word}}.png', 'origin', 'card')))
        RETURNING id INTO v_draft;
        INSERT INTO blogposter.claims (draft_id, n, run_id, site_id, place, text, legal, verdict, reason)
        VALUES (v_draft, 1, v_run, v_site, '{{word}} place', '{{word}} may ride.', true, 'supported', '{{word}} says so');
        INSERT INTO blogposter.citations (draft_id, claim_n, n, site_id, snapshot_id, quote, byte_start, byte_end)
        VALUES (v_draft, 1, 1, v_site, v_snapshot, '{{word}} may ride.', 0, octet_length('{{word}} may ride.'));
        INSERT INTO blogposter.findings (draft_id, n, run_id, site_id, rule, severity, message) VALUES (v_draft, 1, v_run, v_site, '{{word}} rule', 'warning', '{{word}} message');
        CONTINUE WHEN n > 2;
        INSERT INTO blogposter.decisions (run_id, draft_id, site_id, verb, digest, reviewer, comment)
        VALUES (v_run, v_draft, v_site, 'approve', v_digest, '{{word}} reviewer', '{{word}} comment');
        INSERT INTO blogposter.publications (run_id, draft_id, site_id, digest, marker, state, post_id, url, published_at, ended_why)
        SELECT v_run, v_draft, v_site, v_digest, marker, 'published', n, 'https://{{word}}.example/rides-' || n, now(), '{{word}} why' FROM blogposter.runs WHERE id = v_run;
    END LOOP;

    -- Runs that stand elsewhere.
    FOREACH v_state IN ARRAY ARRAY['ready', 'running', 'failed'] LOOP
        INSERT INTO blogposter.runs (site_id, topic, created_by, pins, stage, state, lease_owner, lease_until, finished_at, error, error_kind, attempt, not_before)
        VALUES (v_site, '{{word}} ' || v_state, '{{word}} ann', '{"prompts": "v1", "small": "{{word}}-small", "large": "{{word}}-large"}', 'draft', v_state,
                CASE v_state WHEN 'running' THEN '{{word}} worker' END, CASE v_state WHEN 'running' THEN now() + interval '1 hour' END,
                CASE v_state WHEN 'failed' THEN now() END, '{{word}} error', 'permanent', 1, now() - interval '1 hour') RETURNING id INTO v_run;
        INSERT INTO blogposter.budgets (site_id, scope, run_id, limit_micros) VALUES (v_site, 'article', v_run, 150000);
        INSERT INTO blogposter.steps (run_id, site_id, epoch, stage, name, input_hash, provider, model, prompt, state, fence, result, external, request, error)
        VALUES (v_run, v_site, 1, 'draft', '{{word}} step', repeat('f', 64), '{{word}} provider', '{{word}}-large', '{{word}} prompt', 'done', 1,
                '{"text": "{{word}}"}', '{{word}} custom id', '{{word}} request', '{{word}} error');
        INSERT INTO blogposter.entries (site_id, run_id, epoch, stage, step, input_hash, send, attempt, kind, provider, model, micros, request)
        VALUES (v_site, v_run, 1, 'draft', '{{word}} step', repeat('f', 64), 1, 1, 'reservation', '{{word}} provider', '{{word}}-large', 10, '{{word}} request');
    END LOOP;

    -- What its research found.
    INSERT INTO blogposter.runs (site_id, kind, created_by, pins, stage, state, finished_at)
    VALUES (v_site, 'research', '{{word}} ann', '{"prompts": "v1", "small": "s", "large": "l"}', 'topic', 'done', now()) RETURNING id INTO v_run;
    INSERT INTO blogposter.budgets (site_id, scope, run_id, limit_micros) VALUES (v_site, 'research', v_run, 10000);
    INSERT INTO blogposter.competitors (site_id, name, kind, url, etag, last_modified, report)
    VALUES (v_site, '{{word}} rival', 'feed', 'https://rival.{{word}}.example/feed', '{{word}} tag', '{{word}} date', '{{word}} report') RETURNING id INTO v_competitor;
    INSERT INTO blogposter.watched_pages (site_id, competitor_id, url, title, state, refused, text_hash, shingles, etag, last_modified)
    VALUES (v_site, v_competitor, 'https://rival.{{word}}.example/1', '{{word}} page', 'live', '{{word}} refusal', repeat('a', 64), '{{word}}', '{{word}} tag', '{{word}} date')
    RETURNING id INTO v_page;
    INSERT INTO blogposter.page_changes (page_id, site_id, run_id, kind, summary) VALUES (v_page, v_site, v_run, 'new', '{{word}} is new');
    FOR n IN 1..2 LOOP
        INSERT INTO blogposter.topics (site_id, key, title, keyphrase, kind, score, known_weight, terms, pages, nearest_url, model, why)
        VALUES (v_site, '{{word}} ' || n, '{{word}} idea ' || n, '{{word}} phrase', 'gap', 0.5, 0.6,
                '[{"name": "frequency", "weight": 0.35, "value": 0.5, "data": "{{word}} pages", "as_of": "2026-11-20T09:00:00Z"}]',
                '[{"id": 1, "url": "https://rival.{{word}}.example/1", "title": "{{word}} page", "competitor": "{{word}} rival", "published_at": null, "near": 0}]',
                'https://{{word}}.example/rides-1', '{{word}}-vectors', '{{word}} because') RETURNING id INTO v_topic;
    END LOOP;
END $$;
