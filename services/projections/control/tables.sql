-- Where the read models stand: kept when their tables are rebuilt and exchanged.

CREATE TABLE meta (
    generation bigint NOT NULL DEFAULT 1, -- raised whenever rows were exchanged under the readers
    shards smallint NOT NULL,
    singleton boolean PRIMARY KEY DEFAULT true CHECK (singleton)
);

-- With which definition (digest of its SQL) the rows of a read model were made.
CREATE TABLE models (
    name text PRIMARY KEY,
    definition text NOT NULL
);

-- Everything at or below `position` of the streams of a shard is in the rows.
CREATE TABLE positions (
    projection text NOT NULL,
    shard smallint NOT NULL,
    position bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (projection, shard)
) WITH (fillfactor = 20);

-- Streams that stand still since the event at `position` couldn't be projected.
CREATE TABLE parked (
    projection text NOT NULL,
    stream_id uuid NOT NULL,
    shard smallint NOT NULL,
    position bigint NOT NULL,
    reason text NOT NULL,
    parked_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (projection, stream_id)
);
