CREATE INDEX imports_by_stream ON imports (stream_id, known_from);
CREATE INDEX imports_open ON imports (unit_id) WHERE gone_at = 9223372036854775807;
