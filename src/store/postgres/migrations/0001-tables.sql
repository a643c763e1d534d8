-- Every record kind has a table of its own: what is indexed in columns, the record itself as the JSON text it came as
-- (jsonb would refuse \u0000 and reorder properties). Ids compare by their bytes, whatever the database's locale is.

-- One sequence for every row of every table: a version never returns.
CREATE SEQUENCE postern.versions AS bigint;

-- Which commits happened, told to whoever lost the connection at the COMMIT. Swept after a minute.
CREATE TABLE postern.commits (
  id text COLLATE "C" PRIMARY KEY,
  happened boolean NOT NULL,
  at timestamptz NOT NULL DEFAULT now()
);

-- Makes the table of a record kind. Each key is a column that rows are found by, in the order of their ids.
CREATE FUNCTION postern.declare_kind(kind text, VARIADIC keys text[] DEFAULT '{}') RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  key text;
BEGIN
  EXECUTE format(
    'CREATE TABLE postern.%I (
       id text COLLATE "C" PRIMARY KEY,
       version bigint NOT NULL,
       expires_at double precision,
       record text NOT NULL
     ) WITH (fillfactor = 85, autovacuum_vacuum_scale_factor = 0.05)', kind);
  EXECUTE format('CREATE INDEX ON postern.%I (expires_at) WHERE expires_at IS NOT NULL', kind);
  FOREACH key IN ARRAY keys LOOP
    EXECUTE format('ALTER TABLE postern.%I ADD COLUMN %I text COLLATE "C"', kind, key);
    EXECUTE format('CREATE INDEX ON postern.%I (%I, id) WHERE %I IS NOT NULL', kind, key, key);
  END LOOP;
END
$$;

SELECT postern.declare_kind('accounts');
SELECT postern.declare_kind('emails');
SELECT postern.declare_kind('clients');
SELECT postern.declare_kind('resources');
SELECT postern.declare_kind('signing_keys');
SELECT postern.declare_kind('server_secrets');
SELECT postern.declare_kind('consents', 'account_id', 'client_id');
SELECT postern.declare_kind('sessions', 'uid', 'account_id');
SELECT postern.declare_kind('interactions');
SELECT postern.declare_kind('grants', 'account_id', 'client_id');
SELECT postern.declare_kind('authorization_codes', 'grant_id', 'account_id');
SELECT postern.declare_kind('access_tokens', 'grant_id', 'account_id');
SELECT postern.declare_kind('refresh_tokens', 'grant_id', 'account_id');
SELECT postern.declare_kind('refresh_answers');
SELECT postern.declare_kind('pushed_requests');
SELECT postern.declare_kind('seen');
SELECT postern.declare_kind('guesses');
SELECT postern.declare_kind('refusals');
SELECT postern.declare_kind('audit', 'account_id');
