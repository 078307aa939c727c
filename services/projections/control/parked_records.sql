-- Records of a Kafka topic that are no event of this ledger, or can't be read. Safe to repeat.
CREATE TABLE IF NOT EXISTS parked_records (
    topic text NOT NULL,
    partition int NOT NULL,
    record_offset bigint NOT NULL,
    stream_id uuid, -- what it claims to be, where that can be read
    position bigint,
    reason text NOT NULL,
    parked_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (topic, partition, record_offset)
);
