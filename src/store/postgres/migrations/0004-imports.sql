-- People brought from elsewhere: whose address came with which import, and who still has the hash they came with.
SELECT postern.declare_kind('imports');
ALTER TABLE postern.emails ADD COLUMN import_id text COLLATE "C";
CREATE INDEX ON postern.emails (import_id, id) WHERE import_id IS NOT NULL;
ALTER TABLE postern.accounts ADD COLUMN import_id text COLLATE "C";
CREATE INDEX ON postern.accounts (import_id, id) WHERE import_id IS NOT NULL;
SELECT postern.build_commit();
