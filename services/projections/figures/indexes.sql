-- `gone_at > p` leaves out what ended before p: a live read touches live rows only.

CREATE INDEX facts_by_unit ON facts (measure, unit_id, gone_at) INCLUDE (known_from, on_day, previous_on, level);
CREATE INDEX facts_by_stream ON facts (stream_id, known_from);
-- Which rostered households were visited, whichever unit's visit it was.
CREATE INDEX facts_by_household ON facts (subject_ref, unit_id) WHERE measure = 'visit';
-- What changed between two positions.
CREATE INDEX facts_begun ON facts (known_from);
CREATE INDEX facts_gone ON facts (gone_at) WHERE gone_at < 9223372036854775807;
-- The few that count only where the one before them doesn't.
CREATE INDEX facts_repeated ON facts (measure, unit_id) WHERE previous_on IS NOT NULL;
CREATE INDEX tallies_by_days ON tallies (bloc, measure, span, day, upto) INCLUDE (level, n);
