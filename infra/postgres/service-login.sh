#!/bin/sh
# Run once, by PostgreSQL's image, when its data directory is made: the login of the services, which may
# append and read, and for which `anjie migrate` then grants what it needs.
set -eu
psql --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" --set ON_ERROR_STOP=1 --set password="$SERVICE_PASSWORD" <<'SQL'
CREATE ROLE anjie_service LOGIN NOINHERIT PASSWORD :'password';
SQL
