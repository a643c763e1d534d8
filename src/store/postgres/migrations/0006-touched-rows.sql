-- The rows that a call touches are told beside it, as `table/id`: to find them in it, all of it was taken apart five times, a fifth
-- of what a commit costs the database. Processes of an earlier release call the function of four parameters, which takes the
-- same locks.
CREATE OR REPLACE FUNCTION postern.commit_all(
  relaxed boolean, large boolean, clock double precision, commits json, touched text[]
) RETURNS integer[]
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
      SELECT DISTINCT hashtextextended(touching, 0) AS key FROM unnest(touched) touching
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
