-- Events that wait to be published stand in a table of their own. A mark in each event cost PostgreSQL as much as the
-- lease and the event together: a second version of a wide row, an index and two triggers.

DROP INDEX "outbox";
CREATE TABLE "outbox" (
  "id" BIGINT NOT NULL,
  CONSTRAINT "outbox_pkey" PRIMARY KEY ("id")
);
-- Rows live for a moment: what they leave behind must not lie before those that are searched for.
ALTER TABLE "outbox" SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);
INSERT INTO "outbox" ("id") SELECT "id" FROM "events" WHERE "published_at" IS NULL;

-- Whoever inserts an event, it is published.
CREATE FUNCTION "put_into_outbox"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO outbox SELECT id FROM appended;
  RETURN NULL;
END $$;
CREATE TRIGGER "events_wait_to_be_published" AFTER INSERT ON "events"
  REFERENCING NEW TABLE AS "appended" FOR EACH STATEMENT EXECUTE FUNCTION "put_into_outbox"();

-- An event does not change any more, and stays until it is published.
CREATE FUNCTION "may_remove_event"("event" bigint, "happened_at" timestamptz) RETURNS boolean LANGUAGE sql STABLE AS $$
  SELECT may_remove_history("happened_at") AND NOT EXISTS (SELECT FROM outbox WHERE id = "event")
$$;
DROP TRIGGER "events_are_published_once" ON "events";
DROP TRIGGER "events_are_kept" ON "events";
ALTER TABLE "events" DROP COLUMN "published_at";
CREATE TRIGGER "events_are_kept" BEFORE DELETE ON "events" FOR EACH ROW
  WHEN (NOT "may_remove_event"(OLD."id", OLD."occurred_at")) EXECUTE FUNCTION "refuse_rewriting"();
