-- What the store says of itself: where it moved to, what it was restored from.
SELECT postern.declare_kind('marks');
SELECT postern.build_commit();
