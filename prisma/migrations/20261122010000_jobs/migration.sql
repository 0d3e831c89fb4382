-- What the background jobs keep: their runs, archived usage, reports and alerts; and the indexes they search by.

-- Runs of jobs. The row decides who runs an occurrence: it is claimed before the work begins.
CREATE TABLE "job_runs" (
  "job" TEXT NOT NULL,
  "scheduled_for" TIMESTAMPTZ(3) NOT NULL,
  -- Names the request that asked for it; null: it is on the schedule.
  "request_key" TEXT,
  "instance" TEXT NOT NULL,
  "attempt" INTEGER NOT NULL DEFAULT 0,
  "started_at" TIMESTAMPTZ(3),
  -- Until then a worker has it, or it rests before its next attempt; after that anybody may take it over.
  "lease_until" TIMESTAMPTZ(3) NOT NULL,
  "finished_at" TIMESTAMPTZ(3),
  "outcome" TEXT,
  "counts" JSONB NOT NULL DEFAULT '{}',
  "error" TEXT,
  CONSTRAINT "job_runs_pkey" PRIMARY KEY ("job", "scheduled_for"),
  CONSTRAINT "outcome_is_known" CHECK ("outcome" IN ('done', 'failed', 'interrupted', 'replaced', 'skipped')),
  CONSTRAINT "end_has_an_outcome" CHECK (
    ("finished_at" IS NOT NULL) = ("outcome" IS NOT NULL AND "outcome" IN ('done', 'replaced', 'skipped'))
  )
);
CREATE UNIQUE INDEX "one_open_run_per_job" ON "job_runs" ("job") WHERE "finished_at" IS NULL;
CREATE UNIQUE INDEX "job_runs_request_key_key" ON "job_runs" ("request_key");

-- How often an account did something on a UTC date that is over.
CREATE TABLE "usage_archive" (
  "day" DATE NOT NULL,
  "account_id" UUID NOT NULL,
  "action_type" TEXT NOT NULL,
  "quantity" BIGINT NOT NULL,
  CONSTRAINT "usage_archive_pkey" PRIMARY KEY ("day", "account_id", "action_type"),
  CONSTRAINT "usage_archive_account_id_fkey" FOREIGN KEY ("account_id") REFERENCES "telegram_sessions" ("id") ON DELETE RESTRICT ON UPDATE CASCADE,
  CONSTRAINT "archived_quantity_positive" CHECK ("quantity" > 0)
);

-- The state of the fleet at an instant, as `report.generated` told it.
CREATE TABLE "reports" (
  "id" UUID NOT NULL,
  "generated_at" TIMESTAMPTZ(3) NOT NULL,
  "report" JSONB NOT NULL,
  CONSTRAINT "reports_pkey" PRIMARY KEY ("id")
);
CREATE INDEX "reports_generated_at_idx" ON "reports" ("generated_at");

-- Alerts: raised once, resolved once. `subject` tells several of one kind apart.
CREATE TABLE "alerts" (
  "id" UUID NOT NULL,
  "kind" TEXT NOT NULL,
  "subject" TEXT NOT NULL DEFAULT '',
  "severity" TEXT NOT NULL,
  "data" JSONB NOT NULL,
  "raised_at" TIMESTAMPTZ(3) NOT NULL,
  "resolved_at" TIMESTAMPTZ(3),
  CONSTRAINT "alerts_pkey" PRIMARY KEY ("id"),
  CONSTRAINT "severity_is_known" CHECK ("severity" IN ('info', 'warning', 'critical'))
);
CREATE UNIQUE INDEX "one_open_alert" ON "alerts" ("kind", "subject") WHERE "resolved_at" IS NULL;

-- What waits, whoever owns it, by its end: the recoveries that are due.
CREATE INDEX "recoveries_by_end" ON "telegram_sessions" ((GREATEST("flood_wait_until", "blocked_until")))
  WHERE "status" IN ('flood_wait', 'blocked');

-- Old rows leave these tables all the time, and new ones take their places: a block-range index soon tells nothing.
DROP INDEX "answered_requests_by_time";
CREATE INDEX "answered_requests_by_time" ON "answered_requests" ("answered_at");
DROP INDEX "counted_actions_by_time";
CREATE INDEX "counted_actions_by_time" ON "counted_actions" ("counted_at");
CREATE INDEX "leases_by_start" ON "leases" ("allocated_at");
-- What the report counts refusals by; most requests are not in it.
CREATE INDEX "refused_requests" ON "answered_requests" ("answered_at")
  WHERE "reply" ->> 'success' = 'false' OR "reply" ->> 'allowed' = 'false';
