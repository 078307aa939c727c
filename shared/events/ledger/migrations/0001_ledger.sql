-- The ledger: every event in order of commit, the keys under which commands were
-- accepted, and the one row that is locked by whoever appends.

CREATE SCHEMA IF NOT EXISTS ledger;

-- One row, locked by each append but never updated, so that no dead row versions pile up.
CREATE TABLE ledger.identity (
    ledger_id uuid NOT NULL DEFAULT gen_random_uuid(),
    singleton boolean PRIMARY KEY DEFAULT true CHECK (singleton)
);
INSERT INTO ledger.identity DEFAULT VALUES;

CREATE TABLE ledger.events (
    position bigint PRIMARY KEY,
    recorded_at timestamptz NOT NULL,
    occurred_at timestamptz NOT NULL,
    stream_id uuid NOT NULL,
    event_id uuid NOT NULL,
    correlation_id uuid NOT NULL,
    version integer NOT NULL CONSTRAINT events_version_from_1 CHECK (version >= 1),
    schema_version smallint NOT NULL,
    topic text NOT NULL,
    actor_ref text NOT NULL,
    actor_role text NOT NULL,
    policy text NOT NULL,
    unit uuid,
    causation_id uuid,
    import_id uuid,
    imported_by text,
    traceparent text,
    data bytea NOT NULL,
    UNIQUE (stream_id, version)
);

-- The tree of units is their events alone, and every process keeps up with it.
CREATE INDEX events_of_units ON ledger.events (position) WHERE topic LIKE 'unit.%';

-- Keyed hashes only: neither the client's key nor what was sent under it.
CREATE TABLE ledger.idempotency (
    key_hash bytea PRIMARY KEY,
    body_hash bytea NOT NULL,
    first_position bigint NOT NULL,
    last_position bigint NOT NULL
);

-- The head of the ledger; position 0 of an empty one.
CREATE VIEW ledger.head AS
SELECT coalesce(last.position, 0) AS position, last.recorded_at, identity.ledger_id
FROM ledger.identity
LEFT JOIN LATERAL (
    SELECT events.position, events.recorded_at FROM ledger.events ORDER BY events.position DESC LIMIT 1
) AS last ON true;

-- What an append is given; `command` says to which command of the group it belongs, from 1.
CREATE TYPE ledger.new_event AS (
    command integer,
    stream_id uuid,
    version integer,
    event_id uuid,
    schema_version smallint,
    topic text,
    data bytea,
    occurred_at timestamptz,
    correlation_id uuid,
    actor_ref text,
    actor_role text,
    policy text,
    unit uuid,
    causation_id uuid,
    import_id uuid,
    imported_by text,
    traceparent text
);
CREATE TYPE ledger.new_idempotency_key AS (command integer, key_hash bytea, body_hash bytea);
CREATE TYPE ledger.new_sealing_key AS (command integer, key_id uuid, wrapped bytea, persons uuid[]);

-- What was appended stays as it was, for the owner too.
CREATE FUNCTION ledger.refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only: % refused', TG_TABLE_NAME, TG_OP USING ERRCODE = 'restrict_violation';
END
$$;
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger.events
FOR EACH STATEMENT EXECUTE FUNCTION ledger.refuse_change();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger.idempotency
FOR EACH STATEMENT EXECUTE FUNCTION ledger.refuse_change();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger.identity
FOR EACH STATEMENT EXECUTE FUNCTION ledger.refuse_change();
