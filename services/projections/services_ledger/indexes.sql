CREATE INDEX services_by_unit ON services (unit_id, gone_at) INCLUDE (known_from, on_day, item);
CREATE INDEX services_by_stream ON services (stream_id, known_from);
CREATE INDEX services_by_service ON services (service_id, gone_at);
CREATE INDEX services_begun ON services (known_from);
CREATE INDEX services_gone ON services (gone_at) WHERE gone_at < 9223372036854775807;
