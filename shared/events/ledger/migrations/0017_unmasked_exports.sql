-- An unmasking says whether what was shown was to be taken along.

-- One in place of the other, which whoever calls it as before still finds: the last argument has a default.
DROP FUNCTION audit.unmask(
    uuid, text, text, uuid, bigint, timestamptz, bytea, uuid, bytea, uuid[], interval, integer
);

-- Stores an unmasking with the key of its reason, and returns NULL; where the actor has had as many within
-- the window as they may, stores nothing and returns how long they have to wait. A service may do no more
-- than this with keys.
CREATE FUNCTION audit.unmask(
    case_id uuid,
    actor_ref text,
    actor_role text,
    unit uuid,
    as_of_position bigint,
    at_occurred timestamptz,
    reason bytea,
    key_id uuid,
    wrapped bytea,
    persons uuid[],
    window_length interval,
    unmaskings_max integer,
    read text DEFAULT 'unmask'
) RETURNS interval
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    earliest timestamptz;
BEGIN
    -- One of an actor at a time, so that many at once are counted.
    PERFORM pg_advisory_xact_lock(hashtextextended('unmask ' || unmask.actor_ref, 0));
    SELECT r.read_at INTO earliest FROM audit.reads r
    WHERE r.actor_ref = unmask.actor_ref AND r.reason IS NOT NULL AND r.read_at > clock_timestamp() - window_length
    ORDER BY r.read_at DESC OFFSET unmaskings_max - 1 LIMIT 1;
    IF FOUND THEN
        RETURN earliest + window_length - clock_timestamp();
    END IF;
    INSERT INTO vault.keys (key_id, wrapped, persons, position)
    VALUES (unmask.key_id, unmask.wrapped, unmask.persons, unmask.as_of_position);
    INSERT INTO audit.reads (case_id, actor_ref, actor_role, unit, read, as_of_position, at_occurred, reason)
    VALUES (
        unmask.case_id, unmask.actor_ref, unmask.actor_role, unmask.unit, unmask.read, unmask.as_of_position,
        unmask.at_occurred, unmask.reason
    );
    RETURN NULL;
END
$$;

REVOKE EXECUTE ON FUNCTION audit.unmask(
    uuid, text, text, uuid, bigint, timestamptz, bytea, uuid, bytea, uuid[], interval, integer, text
) FROM PUBLIC;

DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'anjie_service') THEN
        GRANT EXECUTE ON FUNCTION audit.unmask(
            uuid, text, text, uuid, bigint, timestamptz, bytea, uuid, bytea, uuid[], interval, integer, text
        ) TO anjie_service;
    END IF;
END
$$;
