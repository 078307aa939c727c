-- What was adopted, under the hash that an adoption names: rules are read from here, never from a file again.

CREATE TABLE ledger.rule_packs (
    hash text PRIMARY KEY,
    content bytea NOT NULL CONSTRAINT hash_of_content CHECK (hash = encode(sha256(content), 'hex'))
);

CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger.rule_packs
FOR EACH STATEMENT EXECUTE FUNCTION ledger.refuse_change();

DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'anjie_service') THEN
        GRANT SELECT, INSERT ON ledger.rule_packs TO anjie_service;
    END IF;
END
$$;
