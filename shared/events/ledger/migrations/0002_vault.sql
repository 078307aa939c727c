-- Sealing keys, each wrapped by the master key, with the people whom it concerns.

CREATE SCHEMA IF NOT EXISTS vault;

CREATE TABLE vault.keys (
    key_id uuid PRIMARY KEY,
    wrapped bytea NOT NULL,
    persons uuid[] NOT NULL,
    position bigint NOT NULL
);
