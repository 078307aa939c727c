-- Which cases name a file, since a file is theirs to read who may read such a case.
CREATE FUNCTION ledger.files_named(topic text, data bytea) RETURNS text[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT CASE topic
        WHEN 'case.document_attached' THEN ARRAY[convert_from(data, 'UTF8')::jsonb ->> 'file_id']
        ELSE ARRAY(SELECT jsonb_array_elements_text(convert_from(data, 'UTF8')::jsonb -> 'evidence'))
    END
$$;

CREATE INDEX events_naming_files ON ledger.events USING gin (ledger.files_named(topic, data))
WHERE topic IN ('case.document_attached', 'case.resolved');
