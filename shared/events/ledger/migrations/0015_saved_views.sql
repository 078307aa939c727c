-- Named filters of the list of cases, each somebody's own: settings, so no events.

CREATE TABLE runtime.saved_views (
    view_id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    sub text NOT NULL, -- whose it is
    name text NOT NULL CHECK (length(name) BETWEEN 1 AND 40),
    filters jsonb NOT NULL,
    UNIQUE (sub, name)
);

DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'anjie_service') THEN
        GRANT SELECT, INSERT, UPDATE, DELETE ON runtime.saved_views TO anjie_service;
    END IF;
END
$$;
