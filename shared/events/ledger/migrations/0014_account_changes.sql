-- Who let whom sign in, and who signed in last.

ALTER TABLE runtime.accounts ADD COLUMN last_signed_in_at timestamptz;

CREATE TABLE runtime.account_changes (
    change_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    changed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    account_id uuid NOT NULL,
    change text NOT NULL CHECK (change IN ('ADDED', 'CHANGED', 'PASSWORD', 'DISABLED', 'ENABLED')),
    by_ref text, -- without one it was done at the machine itself: by command, or in the demo
    by_role text,
    by_unit uuid,
    role text NOT NULL, -- what the account stands for afterwards
    unit uuid,
    clearances text[] NOT NULL
);
CREATE INDEX account_changes_by_account ON runtime.account_changes (account_id, change_id);

CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON runtime.account_changes
FOR EACH STATEMENT EXECUTE FUNCTION ledger.refuse_change();

DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'anjie_service') THEN
        GRANT SELECT, INSERT ON runtime.account_changes TO anjie_service;
    END IF;
END
$$;
