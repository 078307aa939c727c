-- Clocks whose act is still to come: running, suspended, awaiting a calendar, or breached and not made good;
-- and those that ended too late, by the act (STOPPED) or without it (CANCELLED), until that is recorded.
-- Definition 2: raise this number when the same columns come to mean something else.

CREATE TABLE deadlines (
    stream_id uuid NOT NULL,
    shard smallint NOT NULL,
    known_from bigint NOT NULL,
    known_until bigint NOT NULL DEFAULT 9223372036854775807,
    occurred_from timestamptz NOT NULL,
    occurred_until timestamptz NOT NULL DEFAULT 'infinity',
    closed_at bigint NOT NULL DEFAULT 9223372036854775807,
    gone_at bigint GENERATED ALWAYS AS (least(known_until, closed_at)) STORED,
    row_key uuid NOT NULL,
    clock_id uuid NOT NULL, -- the event that started it
    case_id uuid NOT NULL,
    timer text NOT NULL,
    version integer NOT NULL, -- of the case, by the event that started it
    position bigint NOT NULL, -- of that event
    state text NOT NULL,
    started_at timestamptz NOT NULL,
    due_at timestamptz, -- none while it awaits a calendar
    original_due_at timestamptz, -- without extensions
    wake_at timestamptz, -- when the clock has something to record of it
    holder_unit uuid NOT NULL,
    origin_unit uuid NOT NULL, -- the unit the case is found under
    seen_from bigint NOT NULL -- position since which the same people may know of the case
);
