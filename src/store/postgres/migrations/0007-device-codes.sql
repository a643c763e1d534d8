-- What devices without a keyboard wait with (RFC 8628).
SELECT postern.declare_kind('device_codes', 'grant_id', 'account_id', 'user_code');
SELECT postern.build_commit();
