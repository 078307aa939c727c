CREATE UNIQUE INDEX actors_seen ON actors (actor_ref, role, unit, known_from) NULLS NOT DISTINCT;
CREATE INDEX actors_by_unit ON actors (unit, role);
