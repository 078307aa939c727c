CREATE INDEX actors_by_unit ON actors (unit, role);
