-- Up to where the views are published to Kafka: likewise a copy to show.

ALTER TABLE runtime.relay ADD COLUMN views_position bigint NOT NULL DEFAULT 0;
