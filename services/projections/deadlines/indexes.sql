CREATE INDEX deadlines_by_clock ON deadlines (clock_id, gone_at);
CREATE INDEX deadlines_by_stream ON deadlines (stream_id, known_from);
-- What hangs over a unit, and the list, soonest first; what is due by no known day comes last.
CREATE INDEX deadlines_by_holder ON deadlines (holder_unit, gone_at);
CREATE INDEX deadlines_breached ON deadlines (holder_unit, gone_at) INCLUDE (known_from) WHERE state = 'BREACHED';
CREATE INDEX deadlines_by_due ON deadlines (coalesce(due_at, 'infinity'), case_id, version, gone_at);
-- For the clock, of what is known now: of what it has something to record, and what awaits a calendar.
CREATE INDEX deadlines_waking ON deadlines (wake_at, case_id) INCLUDE (holder_unit)
    WHERE wake_at IS NOT NULL AND gone_at = 9223372036854775807;
CREATE INDEX deadlines_awaiting ON deadlines (case_id)
    WHERE state = 'AWAITING' AND gone_at = 9223372036854775807;
-- What changed between two positions.
CREATE INDEX deadlines_begun ON deadlines (known_from);
CREATE INDEX deadlines_gone ON deadlines (gone_at) WHERE gone_at < 9223372036854775807;
