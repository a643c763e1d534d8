-- Second factors, mailed links, upstreams, places and deliveries.
SELECT postern.declare_kind('factors', 'account_id');
SELECT postern.declare_kind('challenges');
SELECT postern.declare_kind('links', 'account_id', 'of');
SELECT postern.declare_kind('upstreams');
SELECT postern.declare_kind('identities', 'account_id', 'upstream');
SELECT postern.declare_kind('upstream_requests');
SELECT postern.declare_kind('session_places', 'account_id');
SELECT postern.declare_kind('deliveries', 'kind');
SELECT postern.build_commit();
