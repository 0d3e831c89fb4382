-- The truth of the system. Instants are timestamptz(3): the contract speaks in milliseconds.

CREATE TYPE "account_status" AS ENUM ('active', 'flood_wait', 'blocked', 'draining', 'disabled');

-- One Telegram account: its session, its condition, its present lease and its counters of the day.
-- fillfactor: every grant and release updates a row; room on the page keeps the new version near.
CREATE TABLE "telegram_sessions" (
  "id" UUID NOT NULL,
  "user_id" BIGINT NOT NULL,
  "phone" TEXT NOT NULL,
  "session_data" BYTEA NOT NULL,
  "session_key_id" TEXT NOT NULL,
  "session_fingerprint" TEXT NOT NULL,
  "session_metadata" JSONB NOT NULL DEFAULT '{}',
  "is_active" BOOLEAN NOT NULL DEFAULT true,

  "status" "account_status" NOT NULL DEFAULT 'active',
  "disabled_reason" TEXT,
  "flood_wait_until" TIMESTAMPTZ(3),
  "blocked_until" TIMESTAMPTZ(3),
  "block_level" INTEGER NOT NULL DEFAULT 0,
  "last_block_ended_at" TIMESTAMPTZ(3),
  "error_count" INTEGER NOT NULL DEFAULT 0,

  "locked" BOOLEAN NOT NULL DEFAULT false,
  "locked_by" TEXT,
  "locked_until" TIMESTAMPTZ(3),
  "lease_id" UUID,
  "fence" BIGINT NOT NULL DEFAULT 0,

  "used_invites_today" INTEGER NOT NULL DEFAULT 0,
  "used_messages_today" INTEGER NOT NULL DEFAULT 0,
  "contacts_today" INTEGER NOT NULL DEFAULT 0,
  "per_channel_invites" JSONB NOT NULL DEFAULT '{}',
  "usage_date" DATE,
  "usage_version" BIGINT NOT NULL DEFAULT 0,
  "last_limit_reset" TIMESTAMPTZ(3),
  "last_used_at" TIMESTAMPTZ(3),

  "event_sequence" BIGINT NOT NULL DEFAULT 0,
  "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

  CONSTRAINT "telegram_sessions_pkey" PRIMARY KEY ("id"),
  CONSTRAINT "user_id_not_negative" CHECK ("user_id" >= 0),
  CONSTRAINT "lease_is_whole" CHECK (
    "locked" = ("lease_id" IS NOT NULL) AND "locked" = ("locked_by" IS NOT NULL) AND "locked" = ("locked_until" IS NOT NULL)
  ),
  CONSTRAINT "disabled_has_a_reason" CHECK (("status" = 'disabled') = ("disabled_reason" IS NOT NULL)),
  CONSTRAINT "disabled_reason_is_known" CHECK ("disabled_reason" IN ('banned', 'deactivated', 'frozen', 'needs_reauth', 'manual')),
  CONSTRAINT "active_unless_disabled" CHECK ("is_active" = ("status" <> 'disabled')),
  CONSTRAINT "wait_has_an_end" CHECK ("status" <> 'flood_wait' OR "flood_wait_until" IS NOT NULL),
  CONSTRAINT "block_has_an_end" CHECK ("status" <> 'blocked' OR "blocked_until" IS NOT NULL),
  CONSTRAINT "active_waits_for_nothing" CHECK ("status" <> 'active' OR ("flood_wait_until" IS NULL AND "blocked_until" IS NULL)),
  CONSTRAINT "counters_not_negative" CHECK (
    "used_invites_today" >= 0 AND "used_messages_today" >= 0 AND "contacts_today" >= 0
    AND "error_count" >= 0 AND "block_level" >= 0 AND "fence" >= 0 AND "event_sequence" >= 0
  )
) WITH (fillfactor = 70);

CREATE UNIQUE INDEX "telegram_sessions_phone_key" ON "telegram_sessions" ("phone");
CREATE UNIQUE INDEX "telegram_sessions_session_fingerprint_key" ON "telegram_sessions" ("session_fingerprint");
CREATE INDEX "telegram_sessions_user_id_status_idx" ON "telegram_sessions" ("user_id", "status");
-- The claim walks the free accounts of a user, longest rested first, and never a leased or a waiting one.
CREATE INDEX "free_accounts" ON "telegram_sessions" ("user_id", "last_used_at" NULLS FIRST, "id")
  WHERE NOT "locked" AND "status" = 'active';
-- What has ended is found by its end.
CREATE INDEX "leases_by_end" ON "telegram_sessions" ("user_id", "locked_until") WHERE "locked";
CREATE INDEX "waits_by_end" ON "telegram_sessions" ("user_id", (GREATEST("flood_wait_until", "blocked_until")))
  WHERE "status" IN ('flood_wait', 'blocked');

-- Every lease there ever was; at most one is open per account.
CREATE TABLE "leases" (
  "id" UUID NOT NULL,
  "account_id" UUID NOT NULL,
  "user_id" BIGINT NOT NULL,
  "service_name" TEXT NOT NULL,
  "caller" TEXT,
  "purpose" TEXT NOT NULL,
  "target_channel" TEXT,
  "fence" BIGINT NOT NULL,
  "lock_value" TEXT,
  "allocated_at" TIMESTAMPTZ(3) NOT NULL,
  "expires_at" TIMESTAMPTZ(3) NOT NULL,
  "ended_at" TIMESTAMPTZ(3),
  "end_reason" TEXT,
  CONSTRAINT "leases_pkey" PRIMARY KEY ("id"),
  CONSTRAINT "leases_account_id_fkey" FOREIGN KEY ("account_id") REFERENCES "telegram_sessions" ("id") ON DELETE RESTRICT ON UPDATE CASCADE,
  CONSTRAINT "end_has_a_reason" CHECK (("ended_at" IS NULL) = ("end_reason" IS NULL)),
  CONSTRAINT "end_reason_is_known" CHECK ("end_reason" IN ('released', 'expired', 'forced')),
  CONSTRAINT "lease_ends_after_its_start" CHECK ("expires_at" > "allocated_at")
) WITH (fillfactor = 80);
CREATE UNIQUE INDEX "one_open_lease_per_account" ON "leases" ("account_id") WHERE "ended_at" IS NULL;
CREATE UNIQUE INDEX "leases_account_id_fence_key" ON "leases" ("account_id", "fence");
CREATE INDEX "open_leases_by_service" ON "leases" ("service_name") WHERE "ended_at" IS NULL;

-- What limits are judged by: one row per account and action.
CREATE TABLE "usage_windows" (
  "account_id" UUID NOT NULL,
  "action_type" TEXT NOT NULL,
  "recent" TIMESTAMPTZ(3)[] NOT NULL DEFAULT '{}',
  "burst_count" INTEGER NOT NULL DEFAULT 0,
  "last_action_at" TIMESTAMPTZ(3),
  "day" DATE,
  "day_count" INTEGER NOT NULL DEFAULT 0,
  CONSTRAINT "usage_windows_pkey" PRIMARY KEY ("account_id", "action_type"),
  CONSTRAINT "usage_windows_account_id_fkey" FOREIGN KEY ("account_id") REFERENCES "telegram_sessions" ("id") ON DELETE RESTRICT ON UPDATE CASCADE,
  CONSTRAINT "window_not_negative" CHECK ("burst_count" >= 0 AND "day_count" >= 0)
) WITH (fillfactor = 70);

-- Actions by channel, today and ever. `total` is never set back.
CREATE TABLE "channel_usage" (
  "account_id" UUID NOT NULL,
  "action_type" TEXT NOT NULL,
  "channel" TEXT NOT NULL,
  "day" DATE,
  "day_count" INTEGER NOT NULL DEFAULT 0,
  "total" BIGINT NOT NULL DEFAULT 0,
  CONSTRAINT "channel_usage_pkey" PRIMARY KEY ("account_id", "action_type", "channel"),
  CONSTRAINT "channel_usage_account_id_fkey" FOREIGN KEY ("account_id") REFERENCES "telegram_sessions" ("id") ON DELETE RESTRICT ON UPDATE CASCADE,
  CONSTRAINT "total_holds_today" CHECK ("day_count" >= 0 AND "total" >= "day_count")
) WITH (fillfactor = 70);

-- Every action that was counted: permits (one action each), records, and what a release added.
CREATE TABLE "counted_actions" (
  "id" UUID NOT NULL,
  "account_id" UUID NOT NULL,
  "lease_id" UUID,
  "service_name" TEXT,
  "action_type" TEXT NOT NULL,
  "channel" TEXT,
  "quantity" INTEGER NOT NULL,
  "counted_at" TIMESTAMPTZ(3) NOT NULL,
  "settled_at" TIMESTAMPTZ(3),
  "success" BOOLEAN,
  CONSTRAINT "counted_actions_pkey" PRIMARY KEY ("id"),
  CONSTRAINT "quantity_positive" CHECK ("quantity" > 0)
);
CREATE INDEX "counted_actions_by_lease" ON "counted_actions" ("lease_id") WHERE "lease_id" IS NOT NULL;
CREATE INDEX "counted_actions_by_time" ON "counted_actions" USING BRIN ("counted_at");

-- Events: outbox and history in one. `sequence` rises by one per account.
CREATE TABLE "events" (
  "id" BIGSERIAL NOT NULL,
  "event_id" UUID NOT NULL,
  "type" TEXT NOT NULL,
  "account_id" UUID,
  "user_id" BIGINT,
  "sequence" BIGINT,
  "data" JSONB NOT NULL,
  "occurred_at" TIMESTAMPTZ(3) NOT NULL,
  "request_id" TEXT,
  "traceparent" TEXT,
  "published_at" TIMESTAMPTZ(3),
  CONSTRAINT "events_pkey" PRIMARY KEY ("id"),
  CONSTRAINT "account_event_is_numbered" CHECK (("account_id" IS NULL) = ("sequence" IS NULL))
);
CREATE UNIQUE INDEX "events_event_id_key" ON "events" ("event_id");
CREATE UNIQUE INDEX "events_account_id_sequence_key" ON "events" ("account_id", "sequence");
CREATE INDEX "outbox" ON "events" ("id") WHERE "published_at" IS NULL;

-- Requests that were answered, with their replies (session data and phone numbers left out), for repeats.
CREATE TABLE "answered_requests" (
  "caller" TEXT NOT NULL,
  "message_id" UUID NOT NULL,
  "operation" TEXT NOT NULL,
  "body_hash" TEXT NOT NULL,
  "reply" JSONB NOT NULL,
  "answered_at" TIMESTAMPTZ(3) NOT NULL,
  CONSTRAINT "answered_requests_pkey" PRIMARY KEY ("caller", "message_id")
);
CREATE INDEX "answered_requests_by_time" ON "answered_requests" USING BRIN ("answered_at");

-- Small tables make the planner prefer scans that do not hold at size; these tables are written too often to wait for it.
ALTER TABLE "telegram_sessions" SET (autovacuum_vacuum_scale_factor = 0.05, autovacuum_analyze_scale_factor = 0.02);
ALTER TABLE "usage_windows" SET (autovacuum_vacuum_scale_factor = 0.05);
ALTER TABLE "events" SET (autovacuum_vacuum_scale_factor = 0.05);
