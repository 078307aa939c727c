-- Up to where the ledger is published to Kafka: a copy to show, since the truth is in Kafka itself.

CREATE TABLE runtime.relay (
    single boolean PRIMARY KEY DEFAULT true CHECK (single),
    position bigint NOT NULL,
    told_at timestamptz NOT NULL
);

DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'anjie_service') THEN
        GRANT SELECT, INSERT, UPDATE ON runtime.relay TO anjie_service;
    END IF;
END
$$;
