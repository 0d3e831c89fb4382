-- When each counted error stops counting, ascending. Errors without an instant (set by hand) count until a recovery, or
-- until leases that end well have lowered the count.
ALTER TABLE "telegram_sessions" ADD COLUMN "error_ends" TIMESTAMPTZ(3)[] NOT NULL DEFAULT '{}';

-- When the errors of before were reported, nobody knows: they count for one more day.
UPDATE "telegram_sessions"
SET "error_ends" = array_fill(CURRENT_TIMESTAMP + interval '24 hours', ARRAY[LEAST("error_count", 100)]),
  "error_count" = LEAST("error_count", 100)
WHERE "error_count" > 0;
