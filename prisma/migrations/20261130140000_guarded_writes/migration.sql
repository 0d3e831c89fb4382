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
-- service writes that row along with them. Whoever changes them by hand does not, so it is touched here.
CREATE FUNCTION "touch_account"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE telegram_sessions SET usage_version = usage_version WHERE id = COALESCE(NEW.account_id, OLD.account_id);
  RETURN NULL;
END
$$;

CREATE TRIGGER "windows_changed_by_hand" AFTER INSERT OR UPDATE OR DELETE ON "usage_windows" FOR EACH ROW
  WHEN (current_setting('application_name') <> 'account-manager') EXECUTE FUNCTION "touch_account"();
CREATE TRIGGER "channels_changed_by_hand" AFTER INSERT OR UPDATE OR DELETE ON "channel_usage" FOR EACH ROW
  WHEN (current_setting('application_name') <> 'account-manager') EXECUTE FUNCTION "touch_account"();
CREATE TRIGGER "leases_changed_by_hand" AFTER UPDATE ON "leases" FOR EACH ROW
  WHEN (current_setting('application_name') <> 'account-manager') EXECUTE FUNCTION "touch_account"();

-- Also for those who have switched triggers off for their session.
ALTER TABLE "usage_windows" ENABLE ALWAYS TRIGGER "windows_changed_by_hand";
ALTER TABLE "channel_usage" ENABLE ALWAYS TRIGGER "channels_changed_by_hand";
ALTER TABLE "leases" ENABLE ALWAYS TRIGGER "leases_changed_by_hand";
