-- Gives a role what services need of the ledger: reading it and appending to it, nothing else.
CREATE FUNCTION ledger.grant_service(role_name name) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('GRANT USAGE ON SCHEMA ledger, vault TO %I', role_name);
    EXECUTE format('GRANT SELECT ON ledger.events, ledger.idempotency, ledger.head, vault.keys TO %I', role_name);
    EXECUTE format(
        'GRANT EXECUTE ON FUNCTION ledger.append(ledger.new_event[], ledger.new_idempotency_key[], ledger.new_sealing_key[]) TO %I',
        role_name
    );
END
$$;

REVOKE EXECUTE ON FUNCTION ledger.append(
    ledger.new_event[], ledger.new_idempotency_key[], ledger.new_sealing_key[]
) FROM PUBLIC;
REVOKE EXECUTE ON FUNCTION ledger.grant_service(name) FROM PUBLIC;

-- Where no such role could be made, services log in as the owner and triggers alone protect the ledger.
DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'anjie_service') THEN
        PERFORM ledger.grant_service('anjie_service');
    END IF;
END
$$;
