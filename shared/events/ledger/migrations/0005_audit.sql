-- Who of those that oversee and run the system read which case: written before they are answered.

CREATE SCHEMA audit;

CREATE TABLE audit.reads (
    read_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    read_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    case_id uuid NOT NULL,
    actor_ref text NOT NULL,
    actor_role text NOT NULL,
    unit uuid,
    read text NOT NULL, -- case, timeline, stream, or explain/ and the measure
    as_of_position bigint NOT NULL,
    at_occurred timestamptz
);
CREATE INDEX reads_by_case ON audit.reads (case_id, read_id);

CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit.reads
FOR EACH STATEMENT EXECUTE FUNCTION ledger.refuse_change();

DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'anjie_service') THEN
        GRANT USAGE ON SCHEMA audit TO anjie_service;
        GRANT SELECT, INSERT ON audit.reads TO anjie_service;
    END IF;
END
$$;
