-- Forms that were sent, each of which is done once.
SELECT postern.declare_kind('sent_forms');
SELECT postern.build_commit();
