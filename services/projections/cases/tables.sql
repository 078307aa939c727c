-- List rows: what a case looked like from its event at `position` until the next.
-- Definition 3: raise this number when the same columns come to mean something else.

CREATE TABLE cases (
    stream_id uuid NOT NULL,
    shard smallint NOT NULL,
    known_from bigint NOT NULL,
    known_until bigint NOT NULL DEFAULT 9223372036854775807,
    occurred_from timestamptz NOT NULL,
    occurred_until timestamptz NOT NULL DEFAULT 'infinity',
    closed_at bigint NOT NULL DEFAULT 9223372036854775807,
    gone_at bigint GENERATED ALWAYS AS (least(known_until, closed_at)) STORED,
    row_key uuid NOT NULL,
    case_id uuid NOT NULL,
    state text NOT NULL,
    procedure text,
    category text NOT NULL,
    origin_unit uuid NOT NULL, -- the unit it is found under: its origin, or who hears an accusation
    holder_unit uuid NOT NULL,
    pending_unit uuid,
    handler_ref text,
    mediator_ref text,
    urgent boolean,
    overdue boolean NOT NULL, -- a breach stands
    calls smallint, -- attempts to reach the complainant since it was settled, as long as none did
    settled_by text, -- who handled it, while there is somebody to call
    opened_at timestamptz NOT NULL,
    reach uuid[] NOT NULL, -- where it began (not an accusation), where it is found, and all who ever held it
    known_to text[] NOT NULL, -- who opened it, and the people on it that can sign in (not who is accused)
    version integer NOT NULL,
    position bigint NOT NULL,
    row bytea NOT NULL
);
