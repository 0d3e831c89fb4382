-- ANALYZE took a quarter of PostgreSQL's processor time under load, most of it for sorting JSON and texts. No choice between
-- plans hangs on the values of these columns: where one is searched, it has a unique index or comes behind one.
ALTER TABLE events
  ALTER COLUMN data SET STATISTICS 0, ALTER COLUMN event_id SET STATISTICS 0, ALTER COLUMN traceparent SET STATISTICS 0,
  ALTER COLUMN caller SET STATISTICS 0;
ALTER TABLE answered_requests
  ALTER COLUMN reply SET STATISTICS 0, ALTER COLUMN body_hash SET STATISTICS 0, ALTER COLUMN operation SET STATISTICS 0;
ALTER TABLE counted_actions
  ALTER COLUMN limits_left SET STATISTICS 0, ALTER COLUMN caller SET STATISTICS 0, ALTER COLUMN channel SET STATISTICS 0,
  ALTER COLUMN usage_version SET STATISTICS 0, ALTER COLUMN source SET STATISTICS 0;
ALTER TABLE leases
  ALTER COLUMN lock_value SET STATISTICS 0, ALTER COLUMN target_channel SET STATISTICS 0, ALTER COLUMN purpose SET STATISTICS 0;
ALTER TABLE usage_windows
  ALTER COLUMN recent SET STATISTICS 0, ALTER COLUMN burst_count SET STATISTICS 0;
ALTER TABLE error_reports
  ALTER COLUMN found SET STATISTICS 0, ALTER COLUMN wait_seconds SET STATISTICS 0, ALTER COLUMN caller SET STATISTICS 0;
ALTER TABLE telegram_sessions
  ALTER COLUMN session_data SET STATISTICS 0, ALTER COLUMN session_fingerprint SET STATISTICS 0,
  ALTER COLUMN session_metadata SET STATISTICS 0, ALTER COLUMN per_channel_invites SET STATISTICS 0,
  ALTER COLUMN error_ends SET STATISTICS 0, ALTER COLUMN fence SET STATISTICS 0, ALTER COLUMN usage_version SET STATISTICS 0,
  ALTER COLUMN event_sequence SET STATISTICS 0, ALTER COLUMN used_invites_today SET STATISTICS 0,
  ALTER COLUMN used_messages_today SET STATISTICS 0, ALTER COLUMN contacts_today SET STATISTICS 0;

-- Every account of a small fleet changes within seconds: it would be analyzed in every round.
ALTER TABLE telegram_sessions SET (autovacuum_analyze_threshold = 2000);
ALTER TABLE usage_windows SET (autovacuum_analyze_threshold = 2000);
ALTER TABLE channel_usage SET (autovacuum_analyze_threshold = 2000);
