-- Which keys of which live view changed at a position; the rows themselves say when they began and ended.
-- (A case's timeline is its events, so its changes are the feed.)

CREATE VIEW changes (position, view, key) AS
WITH moved AS NOT MATERIALIZED (
    SELECT known_from AS position, measure, unit_id FROM facts WHERE known_from < gone_at
    UNION ALL
    SELECT gone_at, measure, unit_id FROM facts WHERE gone_at < 9223372036854775807 AND known_from < gone_at
)
SELECT position, 'backlog_by_holder', unit_id FROM moved
WHERE measure IN ('open_by_holder', 'urgent_open_by_holder', 'unclassified_open_by_holder', 'overdue_by_holder')
UNION
SELECT position, 'backlog_by_origin', unit_id FROM moved
WHERE measure IN ('open_by_origin', 'urgent_open_by_origin', 'unclassified_open_by_origin', 'overdue_by_origin')
UNION
SELECT position, 'visit_coverage', unit_id FROM moved WHERE measure IN ('visit', 'roster')
UNION
SELECT position, 'campaign_kpi', unit_id FROM moved
UNION
SELECT known_from, 'urgent_board', case_id FROM cases WHERE urgent AND known_from < gone_at
UNION
SELECT gone_at, 'urgent_board', case_id FROM cases
WHERE urgent AND gone_at < 9223372036854775807 AND known_from < gone_at
UNION
SELECT known_from, 'deadline_board', clock_id FROM deadlines WHERE known_from < gone_at
UNION
SELECT gone_at, 'deadline_board', clock_id FROM deadlines
WHERE gone_at < 9223372036854775807 AND known_from < gone_at
UNION
SELECT known_from, 'inbox', item_id FROM inbox WHERE known_from < gone_at
UNION
SELECT gone_at, 'inbox', item_id FROM inbox WHERE gone_at < 9223372036854775807 AND known_from < gone_at
UNION
SELECT known_from, 'inbox', item_id FROM seen WHERE known_from < gone_at
UNION
SELECT gone_at, 'inbox', item_id FROM seen WHERE gone_at < 9223372036854775807 AND known_from < gone_at
UNION
SELECT known_from, 'service_ledger', service_id FROM services WHERE known_from < gone_at
UNION
SELECT gone_at, 'service_ledger', service_id FROM services
WHERE gone_at < 9223372036854775807 AND known_from < gone_at;
