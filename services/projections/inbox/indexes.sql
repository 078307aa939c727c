-- Whoever asks has a few audiences of units; what waits for them is a range each.
CREATE INDEX inbox_by_audience ON inbox (unit_id, audience, gone_at);
CREATE INDEX inbox_by_item ON inbox (item_id, gone_at);
CREATE INDEX inbox_by_stream ON inbox (stream_id, known_from);
CREATE INDEX seen_by_item ON seen (item_id, reader, gone_at);
CREATE INDEX seen_by_stream ON seen (stream_id, known_from);
-- What changed between two positions.
CREATE INDEX inbox_begun ON inbox (known_from);
CREATE INDEX inbox_gone ON inbox (gone_at) WHERE gone_at < 9223372036854775807;
CREATE INDEX seen_begun ON seen (known_from);
CREATE INDEX seen_gone ON seen (gone_at) WHERE gone_at < 9223372036854775807;
