-- Roles and the database, safe to repeat. Run by the superuser on database postgres.
-- Passwords come through the environment, so that they show neither in a process list nor in a file of this repository.
\getenv owner_password OWNER_PASSWORD
\getenv fn_password FN_PASSWORD

SELECT format('CREATE ROLE %I', name)
FROM unnest(ARRAY['blogposter_owner', 'blogposter_fn', 'blogposter_functions']) AS name
WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = name)
\gexec

-- CREATEDB: tests clone a migrated template. CREATEROLE: a migration makes the functions' group role.
ALTER ROLE blogposter_owner LOGIN NOSUPERUSER NOBYPASSRLS CREATEDB CREATEROLE INHERIT PASSWORD :'owner_password';
ALTER ROLE blogposter_fn LOGIN NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE INHERIT PASSWORD :'fn_password';
ALTER ROLE blogposter_functions NOLOGIN NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE;
GRANT blogposter_functions TO blogposter_owner WITH ADMIN OPTION;
GRANT blogposter_functions TO blogposter_fn;
-- Lets tests drop a database in which a function's connection still idles.
GRANT pg_signal_backend TO blogposter_owner;

-- As on Supabase: extensions live in a schema of their own that every role searches.
ALTER ROLE blogposter_owner SET search_path = "$user", public, extensions;
ALTER ROLE blogposter_fn SET search_path = "$user", public, extensions;

SELECT 'CREATE DATABASE blogposter OWNER blogposter_owner'
WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = 'blogposter')
\gexec
