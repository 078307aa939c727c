-- The index of sealed texts: a row per text of a case, findable by keyed hashes of its n-grams.

CREATE SCHEMA search;

CREATE TABLE search.texts (
    position bigint NOT NULL, -- of the event that has it
    field text NOT NULL,
    case_id uuid NOT NULL,
    key_id uuid NOT NULL REFERENCES vault.keys ON DELETE CASCADE, -- so that it ends with the text's key
    township uuid NOT NULL, -- under whose key its grams are
    grams bytea[] NOT NULL,
    PRIMARY KEY (position, field)
);
CREATE INDEX texts_by_case ON search.texts (case_id);
CREATE INDEX texts_by_key ON search.texts (key_id);
CREATE INDEX texts_by_township ON search.texts (township);
-- What is found must not depend on how much has just been written, so no list of pending entries.
CREATE INDEX texts_by_gram ON search.texts USING gin (grams) WITH (fastupdate = off);

CREATE TABLE search.standing (
    single boolean PRIMARY KEY DEFAULT true CHECK (single),
    version integer NOT NULL DEFAULT 0, -- how the texts are cut
    position bigint NOT NULL DEFAULT 0 -- up to which all texts are there
);
INSERT INTO search.standing DEFAULT VALUES;

DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'anjie_service') THEN
        GRANT USAGE ON SCHEMA search TO anjie_service;
        GRANT SELECT, INSERT, DELETE ON search.texts TO anjie_service;
        GRANT SELECT, UPDATE ON search.standing TO anjie_service;
    END IF;
END
$$;
