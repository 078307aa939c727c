-- `gone_at > p` is a range of each index that leaves out what ended before p: a live read
-- touches live rows only, a past one the rows that have ended since.

CREATE INDEX cases_by_case ON cases (case_id, gone_at);
CREATE INDEX cases_by_stream ON cases (stream_id, known_from);
CREATE INDEX cases_by_holder ON cases (holder_unit, gone_at);
CREATE INDEX cases_by_origin ON cases (origin_unit, gone_at);
CREATE INDEX cases_by_receiver ON cases (pending_unit, gone_at) WHERE pending_unit IS NOT NULL;
CREATE INDEX cases_by_handler ON cases (handler_ref, gone_at) WHERE handler_ref IS NOT NULL;
CREATE INDEX cases_by_mediator ON cases (mediator_ref, gone_at) WHERE mediator_ref IS NOT NULL;
CREATE INDEX cases_to_call ON cases (holder_unit, gone_at) WHERE calls IS NOT NULL;
CREATE INDEX cases_overdue ON cases (holder_unit, gone_at) WHERE overdue;
-- Lists: latest opened first; those of a unit's reach; those of a person.
CREATE INDEX cases_by_opening ON cases (opened_at DESC, case_id DESC, gone_at);
CREATE INDEX cases_by_reach ON cases USING gin (reach);
CREATE INDEX cases_by_person ON cases USING gin (known_to);
-- Which cases a category has; it never changes, so the first row of a case tells.
CREATE INDEX cases_by_category ON cases (category, case_id) WHERE version = 1;
-- What changed on the urgent board.
CREATE INDEX urgent_cases_begun ON cases (known_from) WHERE urgent;
CREATE INDEX urgent_cases_gone ON cases (gone_at) WHERE urgent AND gone_at < 9223372036854775807;
