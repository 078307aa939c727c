"""The facts of a county's cases, as its projector would leave them, made inside the database."""

from typing import Final

TOWNSHIPS: Final = 25
VILLAGES: Final = 300
GROUPS: Final = 8_100
DAYS: Final = 730
EVENTS_EACH: Final = 10
"""Of a case, from its registration to the answer at its follow-up; so many positions it takes."""

_KINDS: Final = {"TOWNSHIP": 1, "VILLAGE": 2, "GROUP": 3}

_UNITS: Final = """
    CREATE FUNCTION pg_temp.unit(kind int, number bigint) RETURNS uuid IMMUTABLE LANGUAGE sql
    AS $$ SELECT (lpad(to_hex(kind), 8, '0') || '00007000800000' || lpad(to_hex(number), 10, '0'))::uuid $$
"""
# Each step of a case is three days after the one before, so the cases of a month lie side by side.
_FACTS: Final = """
    INSERT INTO facts (stream_id, shard, known_from, known_until, occurred_from, row_key, measure, unit_id,
        subject_kind, subject_id, on_day, level, because)
    SELECT stream_id, 0, begun, ended, instant, gen_random_uuid(), fact.measure,
        CASE WHEN fact.of_village THEN village ELSE "group" END, 'case', stream_id,
        CASE WHEN fact.measure NOT LIKE 'open%%' AND fact.measure NOT LIKE '%%_open_by%%' THEN day + fact.days
        END, fact.level, '[{{"topic": "case.registered", "position": 1}}]'
    FROM (
        SELECT number, pg_temp.unit(9, number) AS stream_id,
            pg_temp.unit(3, number * 7919 %% {groups}) AS "group",
            pg_temp.unit(2, number * 7919 %% {groups} / ({groups} / {villages})) AS village,
            date '2025-01-01' + (number * {days} / {cases})::int AS day,
            timestamptz '2025-01-01' + number * {days} / {cases} * interval '1 day' AS instant,
            number * 7 %% 10 < 4 AS is_urgent
        FROM generate_series(0::bigint, {cases} - 1) AS number
    ) AS cases
    CROSS JOIN (VALUES
        ('registered', 0, 10, NULL, 0, NULL, false), ('registered_net', 0, 10, NULL, 0, NULL, false),
        ('open_by_origin', 0, 8, NULL, 0, NULL, false),
        ('open_by_holder', 0, 4, NULL, 0, NULL, false), ('open_by_holder', 4, 8, NULL, 0, NULL, true),
        ('urgent_unclassified', 0, 2, NULL, 0, NULL, false),
        ('unclassified_open', 0, 2, NULL, 0, NULL, false),
        ('urgent_registered', 2, 10, true, 0, NULL, false), ('urgent_open', 2, 8, true, 0, NULL, false),
        ('urgent_resolved', 8, 10, true, 0, NULL, false),
        ('resolved', 8, 10, NULL, 0, NULL, false), ('disposed', 8, 10, NULL, 0, NULL, false),
        ('disposed_net', 8, 10, NULL, 0, NULL, false), ('reached', 0, 10, NULL, 0, 'GROUP', false),
        ('reached', 4, 10, NULL, 0, 'VILLAGE', false), ('contained', 8, 10, NULL, 0, 'VILLAGE', false),
        ('resolution', 8, 10, NULL, 24, NULL, false), ('told_solved', 9, 10, NULL, 27, NULL, false),
        ('satisfied', 9, 10, NULL, 27, NULL, false), ('visit', 3, 10, NULL, 9, NULL, false),
        ('duty', 5, 10, NULL, 15, 'T13', false), ('duty_in_time', 5, 10, NULL, 15, 'T13', false)
    ) AS fact (measure, first, last, urgent, days, level, of_village)
    CROSS JOIN LATERAL (SELECT
        (number + fact.first * {step}) * {each} + fact.first + 1 AS begun,
        CASE WHEN fact.last < 10 THEN (number + fact.last * {step}) * {each} + fact.last + 1
        ELSE 9223372036854775807 END AS ended
    ) AS known
    WHERE fact.urgent IS NULL OR fact.urgent = is_urgent
"""
