-- Extensions that only a superuser may create. Run in blogposter, and in template1 so that every database a test creates
-- has them already: CREATE EXTENSION IF NOT EXISTS in a migration is then allowed to blogposter_owner, and does nothing.
SET client_min_messages = warning;
CREATE SCHEMA IF NOT EXISTS extensions;
GRANT USAGE ON SCHEMA extensions TO PUBLIC;
GRANT ALL ON SCHEMA extensions TO blogposter_owner;
CREATE EXTENSION IF NOT EXISTS vector SCHEMA extensions;
CREATE EXTENSION IF NOT EXISTS pg_stat_statements SCHEMA extensions;

-- pg_cron can live in one database only, the one that cron.database_name gives.
SELECT current_database() = current_setting('cron.database_name') AS has_cron
\gset
\if :has_cron
CREATE EXTENSION IF NOT EXISTS pg_cron SCHEMA pg_catalog;
GRANT USAGE ON SCHEMA cron TO blogposter_owner;
\endif
