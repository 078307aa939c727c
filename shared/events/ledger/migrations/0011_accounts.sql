-- Who signs in on a page, who is signed in, and attempts to sign in: no events, for secrets and settings are none.

CREATE TABLE runtime.accounts (
    account_id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    login text NOT NULL CHECK (length(login) BETWEEN 1 AND 128),
    hash text, -- argon2id; without one, nobody signs in with a password
    actor_ref text NOT NULL,
    role text NOT NULL,
    unit uuid,
    clearances text[] NOT NULL DEFAULT '{}',
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    disabled_at timestamptz
);
CREATE UNIQUE INDEX accounts_by_login ON runtime.accounts (lower(login));

CREATE TABLE runtime.sessions (
    token_digest bytea PRIMARY KEY CHECK (octet_length(token_digest) = 32), -- SHA-256, never the token
    account_id uuid NOT NULL REFERENCES runtime.accounts ON DELETE CASCADE,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    seen_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX sessions_by_account ON runtime.sessions (account_id);

CREATE TABLE runtime.sign_in_attempts (
    subject bytea PRIMARY KEY, -- a keyed hash of a login, or of the address that attempts came from
    failures integer NOT NULL,
    last_at timestamptz NOT NULL
);
CREATE INDEX sign_in_attempts_by_time ON runtime.sign_in_attempts (last_at);

DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'anjie_service') THEN
        GRANT SELECT, INSERT, UPDATE ON runtime.accounts TO anjie_service;
        GRANT SELECT, INSERT, UPDATE, DELETE ON runtime.sessions, runtime.sign_in_attempts TO anjie_service;
    END IF;
END
$$;
