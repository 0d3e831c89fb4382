-- A batch that was decided on what a process remembered writes only if nothing has changed meanwhile. Otherwise its one
-- statement fails as a whole, as any other conflict does, and the batch is decided again under locks.
CREATE FUNCTION "refuse_stale"(stale boolean) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  IF stale THEN
    RAISE EXCEPTION 'an account was changed since it was read' USING ERRCODE = 'serialization_failure';
  END IF;
END
$$;

-- Usage and leases stand beside the row of their account, whose version (xmin) says whether anything has changed. The
-- service writes that row along with them. Whoever changes them by hand does not, so it is touched here, once for each
-- statement.
CREATE FUNCTION "touch_accounts"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE telegram_sessions SET usage_version = usage_version WHERE id IN (SELECT account_id FROM changed);
  RETURN NULL;
END
$$;

CREATE TRIGGER "usage_windows_insert_by_hand" AFTER INSERT ON "usage_windows" REFERENCING NEW TABLE AS changed FOR EACH STATEMENT
  WHEN (current_setting('account_manager.keeps_versions', true) IS NULL) EXECUTE FUNCTION "touch_accounts"();
CREATE TRIGGER "usage_windows_update_by_hand" AFTER UPDATE ON "usage_windows" REFERENCING NEW TABLE AS changed FOR EACH STATEMENT
  WHEN (current_setting('account_manager.keeps_versions', true) IS NULL) EXECUTE FUNCTION "touch_accounts"();
CREATE TRIGGER "usage_windows_delete_by_hand" AFTER DELETE ON "usage_windows" REFERENCING OLD TABLE AS changed FOR EACH STATEMENT
  WHEN (current_setting('account_manager.keeps_versions', true) IS NULL) EXECUTE FUNCTION "touch_accounts"();
CREATE TRIGGER "channel_usage_insert_by_hand" AFTER INSERT ON "channel_usage" REFERENCING NEW TABLE AS changed FOR EACH STATEMENT
  WHEN (current_setting('account_manager.keeps_versions', true) IS NULL) EXECUTE FUNCTION "touch_accounts"();
CREATE TRIGGER "channel_usage_update_by_hand" AFTER UPDATE ON "channel_usage" REFERENCING NEW TABLE AS changed FOR EACH STATEMENT
  WHEN (current_setting('account_manager.keeps_versions', true) IS NULL) EXECUTE FUNCTION "touch_accounts"();
CREATE TRIGGER "channel_usage_delete_by_hand" AFTER DELETE ON "channel_usage" REFERENCING OLD TABLE AS changed FOR EACH STATEMENT
  WHEN (current_setting('account_manager.keeps_versions', true) IS NULL) EXECUTE FUNCTION "touch_accounts"();
CREATE TRIGGER "leases_update_by_hand" AFTER UPDATE ON "leases" REFERENCING NEW TABLE AS changed FOR EACH STATEMENT
  WHEN (current_setting('account_manager.keeps_versions', true) IS NULL) EXECUTE FUNCTION "touch_accounts"();

-- Also for those who have switched triggers off for their session.
ALTER TABLE "usage_windows" ENABLE ALWAYS TRIGGER "usage_windows_insert_by_hand";
ALTER TABLE "usage_windows" ENABLE ALWAYS TRIGGER "usage_windows_update_by_hand";
ALTER TABLE "usage_windows" ENABLE ALWAYS TRIGGER "usage_windows_delete_by_hand";
ALTER TABLE "channel_usage" ENABLE ALWAYS TRIGGER "channel_usage_insert_by_hand";
ALTER TABLE "channel_usage" ENABLE ALWAYS TRIGGER "channel_usage_update_by_hand";
ALTER TABLE "channel_usage" ENABLE ALWAYS TRIGGER "channel_usage_delete_by_hand";
ALTER TABLE "leases" ENABLE ALWAYS TRIGGER "leases_update_by_hand";
