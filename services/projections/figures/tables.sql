-- Facts: a figure is the number of them that hold.
-- Definition 3: raise this number when the same columns come to mean something else.

CREATE TABLE facts (
    stream_id uuid NOT NULL,
    shard smallint NOT NULL,
    known_from bigint NOT NULL,
    known_until bigint NOT NULL DEFAULT 9223372036854775807,
    occurred_from timestamptz NOT NULL,
    occurred_until timestamptz NOT NULL DEFAULT 'infinity',
    closed_at bigint NOT NULL DEFAULT 9223372036854775807,
    gone_at bigint GENERATED ALWAYS AS (least(known_until, closed_at)) STORED,
    row_key uuid NOT NULL,
    measure text NOT NULL,
    unit_id uuid NOT NULL, -- raw: rolled up by whoever asks, over the tree of that moment
    subject_kind text NOT NULL,
    subject_id uuid,
    subject_ref text,
    on_day date, -- the day in Asia/Shanghai to which the figure is attributed; none: as of the answer
    previous_on date, -- where a subject counts once in a period: the day of its fact before this one
    level text, -- of a fact about a clock, its timer
    opened_at timestamptz, -- of the case, while it is open
    because jsonb NOT NULL -- [{topic, position}], positions ascending
);

-- How many facts began less how many ended between the end of the stretch of positions before `upto` and `upto`.
CREATE TABLE tallies (
    bloc uuid NOT NULL, -- a township, or nil: the whole
    measure text NOT NULL,
    level text,
    span text NOT NULL, -- of ALL days, those of a MONTH, or a DAY
    day date NOT NULL, -- the first of them
    upto bigint NOT NULL,
    n integer NOT NULL
);
-- The stretches that are tallied, by their ends.
CREATE TABLE tallied (upto bigint PRIMARY KEY);
CREATE TABLE tallied_units (unit_id uuid PRIMARY KEY, bloc uuid);
