-- The history of an account: who did what, when and why, in one order, and never rewritten.

-- Who asked for it, as the broker or the HTTP door has checked; null: nobody, or unchecked.
ALTER TABLE "events" ADD COLUMN "caller" TEXT;

-- An action stands after the event that has its sequence; among several by time, then by the usage version it made.
ALTER TABLE "counted_actions"
  ADD COLUMN "sequence" BIGINT NOT NULL DEFAULT 0,
  ADD COLUMN "usage_version" BIGINT NOT NULL DEFAULT 0,
  ADD COLUMN "source" TEXT NOT NULL DEFAULT 'recorded',
  ADD COLUMN "caller" TEXT,
  ADD COLUMN "request_id" TEXT,
  ADD COLUMN "limits_left" JSONB,
  ADD CONSTRAINT "source_is_known" CHECK ("source" IN ('acquired', 'recorded', 'reported'));
CREATE INDEX "counted_actions_by_account" ON "counted_actions" ("account_id", "sequence", "counted_at", "usage_version");

-- Every error that was reported, whether or not it changed anything: most are only counted and announce no event.
CREATE TABLE "error_reports" (
  "id" BIGSERIAL NOT NULL,
  "account_id" UUID NOT NULL,
  "sequence" BIGINT NOT NULL,
  "reported_at" TIMESTAMPTZ(3) NOT NULL,
  "service_name" TEXT,
  "caller" TEXT,
  "lease_id" UUID,
  "request_id" TEXT,
  "error_class" TEXT NOT NULL,
  "telegram_error" TEXT,
  "wait_seconds" DOUBLE PRECISION,
  "action_taken" TEXT NOT NULL,
  CONSTRAINT "error_reports_pkey" PRIMARY KEY ("id")
);
CREATE INDEX "error_reports_by_account" ON "error_reports" ("account_id", "sequence", "reported_at", "id");
CREATE INDEX "error_reports_by_time" ON "error_reports" ("reported_at");

-- What has happened has happened. Only a transaction that says `SET LOCAL account_manager.removal = 'on'` may remove
-- history, and nobody what is younger than a day. Column lists and WHEN keep the triggers off the statements that
-- every request makes.
CREATE FUNCTION "refuse_rewriting"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION '% of %: history is not rewritten', TG_OP, TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END $$;

CREATE FUNCTION "may_remove_history"("happened_at" timestamptz) RETURNS boolean LANGUAGE sql STABLE AS $$
  SELECT COALESCE(current_setting('account_manager.removal', true), '') = 'on' AND "happened_at" < now() - interval '1 day'
$$;

-- An event changes once: it is marked as published.
CREATE TRIGGER "events_stay" BEFORE UPDATE OF
  "id", "event_id", "type", "account_id", "user_id", "sequence", "data", "occurred_at", "request_id", "traceparent", "caller"
  ON "events" FOR EACH ROW EXECUTE FUNCTION "refuse_rewriting"();
CREATE TRIGGER "events_are_published_once" BEFORE UPDATE OF "published_at" ON "events" FOR EACH ROW
  WHEN (OLD."published_at" IS NOT NULL) EXECUTE FUNCTION "refuse_rewriting"();
CREATE TRIGGER "events_are_kept" BEFORE DELETE ON "events" FOR EACH ROW
  WHEN (OLD."published_at" IS NULL OR NOT "may_remove_history"(OLD."occurred_at")) EXECUTE FUNCTION "refuse_rewriting"();
CREATE TRIGGER "events_are_not_emptied" BEFORE TRUNCATE ON "events" EXECUTE FUNCTION "refuse_rewriting"();

-- A counted action changes once: its permit is settled.
CREATE TRIGGER "counted_actions_stay" BEFORE UPDATE OF
  "id", "account_id", "lease_id", "service_name", "action_type", "channel", "quantity", "counted_at", "sequence",
  "usage_version", "source", "caller", "request_id", "limits_left"
  ON "counted_actions" FOR EACH ROW EXECUTE FUNCTION "refuse_rewriting"();
CREATE TRIGGER "permits_are_settled_once" BEFORE UPDATE OF "settled_at", "success" ON "counted_actions" FOR EACH ROW
  WHEN (OLD."settled_at" IS NOT NULL) EXECUTE FUNCTION "refuse_rewriting"();
CREATE TRIGGER "counted_actions_are_kept" BEFORE DELETE ON "counted_actions" FOR EACH ROW
  WHEN (NOT "may_remove_history"(OLD."counted_at")) EXECUTE FUNCTION "refuse_rewriting"();
CREATE TRIGGER "counted_actions_are_not_emptied" BEFORE TRUNCATE ON "counted_actions" EXECUTE FUNCTION "refuse_rewriting"();

CREATE TRIGGER "error_reports_stay" BEFORE UPDATE ON "error_reports" FOR EACH ROW EXECUTE FUNCTION "refuse_rewriting"();
CREATE TRIGGER "error_reports_are_kept" BEFORE DELETE ON "error_reports" FOR EACH ROW
  WHEN (NOT "may_remove_history"(OLD."reported_at")) EXECUTE FUNCTION "refuse_rewriting"();
CREATE TRIGGER "error_reports_are_not_emptied" BEFORE TRUNCATE ON "error_reports" EXECUTE FUNCTION "refuse_rewriting"();

-- A lease that has ended stays as it ended.
CREATE TRIGGER "ended_leases_stay" BEFORE UPDATE ON "leases" FOR EACH ROW
  WHEN (OLD."ended_at" IS NOT NULL) EXECUTE FUNCTION "refuse_rewriting"();
CREATE TRIGGER "leases_are_kept" BEFORE DELETE ON "leases" FOR EACH ROW
  WHEN (OLD."ended_at" IS NULL OR NOT "may_remove_history"(OLD."ended_at")) EXECUTE FUNCTION "refuse_rewriting"();
CREATE TRIGGER "leases_are_not_emptied" BEFORE TRUNCATE ON "leases" EXECUTE FUNCTION "refuse_rewriting"();
