-- A commit is one call of postern.commit, with plans that stay prepared. It is built from the tables there are; a migration
-- that declares a kind or a key ends with SELECT postern.build_commit().
CREATE FUNCTION postern.build_commit() RETURNS void LANGUAGE plpgsql AS $build$
DECLARE
  kind record;
  branches text := '';
BEGIN
  FOR kind IN
    SELECT
      kept.relname AS name,
      coalesce(string_agg(format(', %I', key.attname), '' ORDER BY key.attnum) FILTER (WHERE key.attname IS NOT NULL), '') AS keys,
      coalesce(string_agg(format(', change.keys->>%L', key.attname), '' ORDER BY key.attnum) FILTER (WHERE key.attname IS NOT NULL), '') AS values,
      coalesce(string_agg(format(', %I = change.keys->>%L', key.attname, key.attname), '' ORDER BY key.attnum) FILTER (WHERE key.attname IS NOT NULL), '') AS sets
    FROM pg_catalog.pg_class kept
    LEFT JOIN pg_catalog.pg_attribute key
      ON key.attrelid = kept.oid AND key.attnum > 0 AND NOT key.attisdropped
      AND key.attname NOT IN ('id', 'version', 'expires_at', 'record')
    WHERE kept.relnamespace = 'postern'::regnamespace AND kept.relkind = 'r'
      AND EXISTS (SELECT FROM pg_catalog.pg_attribute a WHERE a.attrelid = kept.oid AND a.attname = 'record')
    GROUP BY kept.relname
  LOOP
    branches := branches || replace(replace(replace(replace($branch$
      WHEN '<name>' THEN
        CASE change.act
          WHEN 'remove' THEN
            DELETE FROM postern.<name> AS old WHERE old.id = change.id;
            held := true;
          WHEN 'remove-expected' THEN
            DELETE FROM postern.<name> AS old
            WHERE old.id = change.id AND old.version = change.expect
              AND (old.expires_at IS NULL OR old.expires_at > clock);
            held := FOUND;
          WHEN 'put-expected' THEN
            UPDATE postern.<name> AS old
            SET version = nextval('postern.versions'), expires_at = change.expires_at, record = change.record<sets>
            WHERE old.id = change.id AND old.version = change.expect
              AND (old.expires_at IS NULL OR old.expires_at > clock);
            held := FOUND;
          ELSE
            -- The version is drawn under the row's lock: excluded.version was drawn before it.
            INSERT INTO postern.<name> AS old (id, version, expires_at, record<keys>)
            VALUES (change.id, nextval('postern.versions'), change.expires_at, change.record<values>)
            ON CONFLICT (id) DO UPDATE
            SET version = nextval('postern.versions'), expires_at = change.expires_at, record = change.record<sets>
            WHERE change.act = 'put' OR old.expires_at <= clock;
            held := FOUND;
        END CASE;$branch$, '<name>', quote_ident(kind.name)), '<keys>', kind.keys), '<values>', kind.values), '<sets>', kind.sets);
  END LOOP;

  EXECUTE replace($function$
    CREATE OR REPLACE FUNCTION postern.commit(
      commit_id text, relaxed boolean, clock double precision, changed text, changes json
    ) RETURNS void LANGUAGE plpgsql AS $commit$
    DECLARE
      change record;
      position integer := 0;
      held boolean;
    BEGIN
      IF relaxed THEN
        PERFORM set_config('synchronous_commit', 'off', true);
      ELSIF current_setting('synchronous_commit') = 'off' THEN
        PERFORM set_config('synchronous_commit', 'on', true);
      END IF;
      -- First of all: whoever asks about this commit then waits for its end, or comes before it and forbids it.
      INSERT INTO postern.commits (id, happened) VALUES (commit_id, true);
      FOR change IN
        SELECT * FROM json_to_recordset(changes)
          AS c(act text, kind text, id text, expect bigint, expires_at double precision, record text, keys json)
      LOOP
        CASE change.kind<branches>
        END CASE;
        IF NOT held THEN
          -- The place in the list, not the id: an id may be somebody's address, and this is logged.
          RAISE EXCEPTION 'an expectation did not hold' USING ERRCODE = 'PN001', DETAIL = position::text;
        END IF;
        position := position + 1;
      END LOOP;
      IF changed IS NOT NULL THEN
        PERFORM pg_notify('postern', changed);
      END IF;
    END
    $commit$
  $function$, '<branches>', branches);
END
$build$;

SELECT postern.build_commit();

-- Several commits as one transaction, each whole or not at all on its own. For each: null when it happened, else the place of
-- the change whose expectation did not hold.
CREATE FUNCTION postern.commit_all(relaxed boolean, large boolean, clock double precision, commits json) RETURNS integer[]
LANGUAGE plpgsql AS $$
DECLARE
  one record;
  place text;
  places integer[] := '{}';
BEGIN
  -- Every row of all of them, in one order for everybody: the commits in their turn would be no order. The database has
  -- room for some thousands of locks, so what is large goes when nobody else does.
  IF large THEN
    PERFORM pg_advisory_xact_lock(hashtextextended('postern.commit_all', 0));
  ELSE
    PERFORM pg_advisory_xact_lock_shared(hashtextextended('postern.commit_all', 0));
    PERFORM pg_advisory_xact_lock(key) FROM (
      SELECT DISTINCT hashtextextended((change->>'kind') || '/' || (change->>'id'), 0) AS key
      FROM json_array_elements(commits) asked, json_array_elements(asked->'changes') change
      ORDER BY key
    ) keys;
  END IF;
  FOR one IN SELECT * FROM json_to_recordset(commits) AS c(id text, changed text, changes json) LOOP
    BEGIN
      PERFORM postern.commit(one.id, relaxed, clock, one.changed, one.changes);
      places := places || NULL::integer;
    EXCEPTION WHEN SQLSTATE 'PN001' THEN
      GET STACKED DIAGNOSTICS place = PG_EXCEPTION_DETAIL;
      places := places || place::integer;
    END;
  END LOOP;
  RETURN places;
END
$$;
