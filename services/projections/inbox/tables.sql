-- What waits for somebody: a row for each thing and audience, as long as it waits; and what was seen, by whom.
-- Definition 1: raise this number when the same columns come to mean something else.

CREATE TABLE inbox (
    stream_id uuid NOT NULL,
    shard smallint NOT NULL,
    known_from bigint NOT NULL,
    known_until bigint NOT NULL DEFAULT 9223372036854775807,
    occurred_from timestamptz NOT NULL,
    occurred_until timestamptz NOT NULL DEFAULT 'infinity',
    closed_at bigint NOT NULL DEFAULT 9223372036854775807,
    gone_at bigint GENERATED ALWAYS AS (least(known_until, closed_at)) STORED,
    row_key uuid NOT NULL,
    item_id uuid NOT NULL, -- the event that made it wait
    case_id uuid NOT NULL,
    kind text NOT NULL,
    timer text NOT NULL,
    since timestamptz NOT NULL,
    due_at timestamptz, -- none without a clock, or while it awaits a calendar
    audience text NOT NULL, -- whom of the unit it waits for
    unit_id uuid NOT NULL,
    left_out text[] NOT NULL, -- actors of the audience who may not act on the case
    seen_from bigint NOT NULL -- position since which the same people may know of the case
);

CREATE TABLE seen (
    stream_id uuid NOT NULL,
    shard smallint NOT NULL,
    known_from bigint NOT NULL,
    known_until bigint NOT NULL DEFAULT 9223372036854775807,
    occurred_from timestamptz NOT NULL,
    occurred_until timestamptz NOT NULL DEFAULT 'infinity',
    closed_at bigint NOT NULL DEFAULT 9223372036854775807,
    gone_at bigint GENERATED ALWAYS AS (least(known_until, closed_at)) STORED,
    row_key uuid NOT NULL,
    item_id uuid NOT NULL,
    reader text NOT NULL
);
