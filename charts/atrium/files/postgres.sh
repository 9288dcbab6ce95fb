#!/usr/bin/env bash
# Starts PostgreSQL for evaluation: makes the data directory when there is none, sees that every service has its role and its database,
# and becomes the server. It needs bash, cat, initdb, postgres, pg_ctl and psql.
set -euo pipefail
umask 077

config=/etc/atrium/postgres
socket=/var/run/postgresql

say() { printf 'postgres: %s\n' "$*"; }

if [[ ! -e $PGDATA/atrium-initialized ]]; then
  if [[ -e $PGDATA/PG_VERSION ]]; then
    say "$PGDATA was left half made; delete its volume and start again" >&2
    exit 1
  fi
  say "making $PGDATA"
  initdb --pgdata="$PGDATA" --username=postgres --auth-local=trust --auth-host=scram-sha-256 --encoding=UTF8 --locale=C.UTF-8 --data-checksums
  : >"$PGDATA/atrium-initialized"
fi

# The superuser has no password and comes only through the socket, which only this container has.
{
  printf 'local all postgres trust\n'
  printf '%s all all all scram-sha-256\n' "$HOST_TYPE"
} >"$PGDATA/pg_hba.conf"

# Nobody is served before roles and databases are as they should be.
pg_ctl start --pgdata="$PGDATA" --wait --timeout=300 --silent \
  --options="-c listen_addresses='' -c unix_socket_directories=$socket -c logging_collector=off"
for service in $SERVICES; do
  ROLE=atrium_$service ROLE_PASSWORD_FILE=/etc/atrium/secrets/$service psql --no-psqlrc --quiet --set=ON_ERROR_STOP=1 \
    --host="$socket" --username=postgres --dbname=postgres --file="$config/roles.sql"
done
pg_ctl stop --pgdata="$PGDATA" --mode=fast --wait --silent

say "ready to serve"
exec postgres -D "$PGDATA" -c "config_file=$PGDATA/postgresql.conf" -c "listen_addresses=*" -c "unix_socket_directories=$socket" \
  -c password_encryption=scram-sha-256 -c max_connections=200 -c shared_buffers=128MB "$@"
