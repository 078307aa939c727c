-- Who was seen acting, as what, where: for each the sightings that no other both precedes and predates.
-- The clock is nobody. A resident is not seen by what an accuser does: registering an accusation, withdrawing, declaring a conflict.
-- Known on t as of p: any row with known_from <= p and occurred_from <= t.
-- Definition 2: raise this number when the same columns come to mean something else.

CREATE TABLE actors (
    actor_ref text NOT NULL,
    role text NOT NULL,
    unit uuid,
    known_from bigint NOT NULL,
    occurred_from timestamptz NOT NULL,
    UNIQUE NULLS NOT DISTINCT (actor_ref, role, unit, known_from)
);
