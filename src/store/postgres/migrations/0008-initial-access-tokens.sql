-- What allows applications to register themselves.
SELECT postern.declare_kind('initial_access_tokens');
SELECT postern.build_commit();
