-- When an account's session was last tried on Telegram; null: never.
ALTER TABLE "telegram_sessions" ADD COLUMN "last_probed_at" TIMESTAMPTZ(3);

-- The accounts that nobody uses, the longest unprobed first. Predicate and expression stand in the query that searches it.
CREATE INDEX "probe_order" ON "telegram_sessions" ((COALESCE("last_probed_at", '-infinity'::timestamptz)), "id")
  WHERE NOT "locked" AND "status" = 'active';
