-- Makes the role and the database of one service, or brings them up to date. Run at every start.
\getenv role ROLE
\set password `cat "$ROLE_PASSWORD_FILE"`
SELECT format('CREATE ROLE %I LOGIN', :'role') WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = :'role')
\gexec
SELECT format('ALTER ROLE %I PASSWORD %L', :'role', :'password')
\gexec
SELECT format('CREATE DATABASE %I OWNER %I', :'role', :'role') WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = :'role')
\gexec
SELECT format('REVOKE ALL ON DATABASE %I FROM PUBLIC', :'role')
\gexec
\connect :role
-- For the search of users; a trusted extension, so that its migration would do too.
CREATE EXTENSION IF NOT EXISTS pg_trgm;
