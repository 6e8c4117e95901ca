-- +goose Up
-- The schema is private: Supabase serves `public` to the world.
CREATE SCHEMA IF NOT EXISTS blogposter;
REVOKE ALL ON SCHEMA blogposter FROM PUBLIC;

-- What every function's login is a member of. It owns nothing and cannot
-- bypass row-level security. Roles belong to the whole server, so another
-- database may have made it already.
-- +goose StatementBegin
DO $$
BEGIN
    CREATE ROLE blogposter_functions NOLOGIN NOBYPASSRLS;
EXCEPTION WHEN duplicate_object THEN NULL;
END $$;
-- +goose StatementEnd
GRANT USAGE ON SCHEMA blogposter TO blogposter_functions;

-- +goose StatementBegin
-- The site whose rows this transaction may see; NULL, so none, when it was not set.
CREATE FUNCTION blogposter.current_site() RETURNS bigint
LANGUAGE sql STABLE PARALLEL SAFE
AS $$ SELECT nullif(current_setting('app.site_id', true), '')::bigint $$;
-- +goose StatementEnd
