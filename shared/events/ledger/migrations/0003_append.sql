-- The only way to write: appends a group of commands, each of them wholly or not at all.
--
-- The lock on `ledger.identity` is held until the commit, so the order of positions is the
-- order of commits, without gaps.
--
--   events            in order of command; those of one stream with consecutive versions
--   idempotency_keys  at most one a command
--   sealing_keys      any number a command
--
-- The commands of a group must touch different streams and keys, or all of them fail. The
-- events of the accepted commands get the positions from `head` + 1 on, in the order given.
-- Of each refused command the answer has, side by side, its number and the outcome:
--
--   repeated    the idempotency key had been used for the same thing: positions and time of its events
--   key_reused  it had been used for something else
--   key_taken   a sealing key is already there
--   conflict    a stream is not at the version before the first one given (a new stream: 0 or none)
CREATE FUNCTION ledger.append(
    events ledger.new_event[],
    idempotency_keys ledger.new_idempotency_key[],
    sealing_keys ledger.new_sealing_key[],
    OUT head bigint,
    OUT recorded_at timestamptz,
    OUT refused integer[],
    OUT outcomes text[],
    OUT first_positions bigint[],
    OUT last_positions bigint[],
    OUT recorded_ats timestamptz[]
)
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
-- Plans are made once, or planning would cost an append of one event more than all the rest,
-- and while the tables are small; they must hold when these have grown.
SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off
AS $$
#variable_conflict use_column
BEGIN
    PERFORM FROM ledger.identity FOR UPDATE;

    SELECT e.position, e.recorded_at INTO head, recorded_at
    FROM ledger.events e ORDER BY e.position DESC LIMIT 1;
    head := coalesce(head, 0);
    recorded_at := greatest(clock_timestamp(), recorded_at);

    SELECT array_agg(r.command), array_agg(r.outcome),
        array_agg(r.first_position), array_agg(r.last_position), array_agg(r.recorded_at)
    INTO refused, outcomes, first_positions, last_positions, recorded_ats
    FROM (
        SELECT DISTINCT ON (found.command) found.*
        FROM (
            SELECT k.command, 1 AS rank, CASE used.body_hash WHEN k.body_hash THEN 'repeated' ELSE 'key_reused' END,
                used.first_position, used.last_position, used.recorded_at
            FROM unnest(idempotency_keys) k CROSS JOIN LATERAL (
                SELECT i.body_hash, i.first_position, i.last_position, e.recorded_at
                FROM ledger.idempotency i JOIN ledger.events e ON e.position = i.last_position
                WHERE i.key_hash = k.key_hash LIMIT 1
            ) used
            UNION ALL
            SELECT k.command, 2, 'key_taken', NULL, NULL, NULL
            FROM unnest(sealing_keys) k
            WHERE (SELECT true FROM vault.keys v WHERE v.key_id = k.key_id)
            UNION ALL
            SELECT s.command, 3, 'conflict', NULL, NULL, NULL
            FROM (
                SELECT e.command, e.stream_id, min(e.version) - 1 AS expected, max(e.version) - count(*) AS implied
                FROM unnest(events) e GROUP BY e.command, e.stream_id
            ) s
            WHERE s.implied <> s.expected OR s.expected <> coalesce(
                (SELECT max(e.version) FROM ledger.events e WHERE e.stream_id = s.stream_id), least(s.expected, 0)
            )
        ) found (command, rank, outcome, first_position, last_position, recorded_at)
        ORDER BY found.command, found.rank
    ) r;

    INSERT INTO ledger.events (
        position, recorded_at, occurred_at, stream_id, event_id, correlation_id, version, schema_version,
        topic, actor_ref, actor_role, policy, unit, causation_id, import_id, imported_by, traceparent, data
    )
    SELECT head + row_number() OVER (), recorded_at, e.occurred_at, e.stream_id, e.event_id, e.correlation_id,
        e.version, e.schema_version, e.topic, e.actor_ref, e.actor_role, e.policy, e.unit, e.causation_id,
        e.import_id, e.imported_by, e.traceparent, e.data
    FROM unnest(events) e
    WHERE refused IS NULL OR e.command <> ALL (refused);

    IF cardinality(idempotency_keys) > 0 OR cardinality(sealing_keys) > 0 THEN
        WITH stored AS (
            SELECT p.command, min(p.position) AS first_position, max(p.position) AS last_position
            FROM (
                SELECT e.command, head + row_number() OVER () AS position
                FROM unnest(events) e
                WHERE refused IS NULL OR e.command <> ALL (refused)
            ) p
            GROUP BY p.command
        ), remembered AS (
            INSERT INTO ledger.idempotency (key_hash, body_hash, first_position, last_position)
            SELECT k.key_hash, k.body_hash, s.first_position, s.last_position
            FROM unnest(idempotency_keys) k JOIN stored s USING (command)
        )
        INSERT INTO vault.keys (key_id, wrapped, persons, position)
        SELECT k.key_id, k.wrapped, k.persons, s.first_position
        FROM unnest(sealing_keys) k JOIN stored s USING (command);
    END IF;
END
$$;
