-- How the fleet developed: one sample a minute, written by one instance, and one an hour made of these.
CREATE TABLE "series_samples" (
  "step_seconds" INTEGER NOT NULL,
  -- When the minute or the hour began.
  "at" TIMESTAMPTZ(3) NOT NULL,
  "values" JSONB NOT NULL,
  CONSTRAINT "series_samples_pkey" PRIMARY KEY ("step_seconds", "at"),
  CONSTRAINT "step_is_known" CHECK ("step_seconds" IN (60, 3600))
);
-- What each instance has answered in a minute, until it is in the sample of that minute.
CREATE TABLE "series_parts" (
  "at" TIMESTAMPTZ(3) NOT NULL,
  "instance" TEXT NOT NULL,
  "tally" JSONB NOT NULL,
  CONSTRAINT "series_parts_pkey" PRIMARY KEY ("at", "instance")
);
CREATE INDEX "recoveries_by_time" ON "events" ("occurred_at") WHERE "type" = 'account.recovered';
