-- +goose Up
-- schedule: when the site publishes, in its own time zone.
ALTER TABLE blogposter.sites ADD COLUMN schedule jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(schedule) = 'object');

-- What opens a site's own doors, sealed: the key is a setting, never a row.
-- key_id says which of the keys sealed it, so that a key can be replaced.
CREATE TABLE blogposter.credentials (
    site_id    bigint NOT NULL REFERENCES blogposter.sites ON DELETE CASCADE,
    name       text NOT NULL CHECK (name ~ '^[a-z][a-z0-9_.]{0,62}$'), -- such as cms.password
    key_id     text NOT NULL CHECK (key_id <> ''),
    sealed     bytea NOT NULL,
    updated_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (site_id, name)
);
ALTER TABLE blogposter.credentials ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_site ON blogposter.credentials USING (site_id = blogposter.current_site());
GRANT SELECT ON blogposter.credentials TO blogposter_functions;
