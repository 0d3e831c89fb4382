-- The transaction that an event is of: what a reader of the stream has not seen is what his last snapshot does not show.
-- The default is evaluated once for the rows that are there, so the table is not written anew.
ALTER TABLE "events" ADD COLUMN "transaction_id" xid8 NOT NULL DEFAULT pg_current_xact_id();
CREATE INDEX "events_by_transaction" ON "events" ("transaction_id", "id");

DROP TRIGGER "events_stay" ON "events";
CREATE TRIGGER "events_stay" BEFORE UPDATE OF
  "id", "event_id", "type", "account_id", "user_id", "sequence", "data", "occurred_at", "request_id", "traceparent", "caller",
  "transaction_id"
  ON "events" FOR EACH ROW EXECUTE FUNCTION "refuse_rewriting"();
