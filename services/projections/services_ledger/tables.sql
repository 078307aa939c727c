-- Services done: those recorded by themselves, and those performed in a case of procedure SERVICE.
-- Definition 1: raise this number when the same columns come to mean something else.

CREATE TABLE services (
    stream_id uuid NOT NULL,
    shard smallint NOT NULL,
    known_from bigint NOT NULL,
    known_until bigint NOT NULL DEFAULT 9223372036854775807,
    occurred_from timestamptz NOT NULL,
    occurred_until timestamptz NOT NULL DEFAULT 'infinity',
    closed_at bigint NOT NULL DEFAULT 9223372036854775807,
    gone_at bigint GENERATED ALWAYS AS (least(known_until, closed_at)) STORED,
    row_key uuid NOT NULL,
    service_id uuid NOT NULL, -- the stream of a service, or the event of one performed in a case
    unit_id uuid NOT NULL,
    item text NOT NULL,
    on_day date NOT NULL, -- in Asia/Shanghai
    occurred_at timestamptz NOT NULL,
    case_id uuid,
    row bytea NOT NULL
);
