-- Imports, while they are open.
-- Definition 1: raise this number when the same columns come to mean something else.

CREATE TABLE imports (
    stream_id uuid NOT NULL,
    shard smallint NOT NULL,
    known_from bigint NOT NULL,
    known_until bigint NOT NULL DEFAULT 9223372036854775807,
    occurred_from timestamptz NOT NULL,
    occurred_until timestamptz NOT NULL DEFAULT 'infinity',
    closed_at bigint NOT NULL DEFAULT 9223372036854775807,
    gone_at bigint GENERATED ALWAYS AS (least(known_until, closed_at)) STORED,
    row_key uuid NOT NULL,
    import_id uuid NOT NULL,
    unit_id uuid NOT NULL
);
