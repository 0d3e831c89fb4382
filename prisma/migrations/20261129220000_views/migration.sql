-- Views of the whole fleet: each lists by an index, in the index's order. A lease that ends leaves its partial indexes
-- without a write to them, so a grant pays for three entries and a release for none.
CREATE INDEX "open_leases_by_end" ON "leases" ("expires_at", "id") WHERE "ended_at" IS NULL;
CREATE INDEX "open_leases_by_user" ON "leases" ("user_id", "expires_at", "id") WHERE "ended_at" IS NULL;
DROP INDEX "open_leases_by_service";
CREATE INDEX "open_leases_by_service" ON "leases" ("service_name", "expires_at", "id") WHERE "ended_at" IS NULL;

-- Alerts are few, and old ones stay for a while: each filter has its order.
CREATE INDEX "alerts_by_time" ON "alerts" ("raised_at", "id");
CREATE INDEX "alerts_by_kind" ON "alerts" ("kind", "raised_at", "id");
CREATE INDEX "alerts_by_severity" ON "alerts" ("severity", "raised_at", "id");
CREATE INDEX "open_alerts_by_time" ON "alerts" ("raised_at", "id") WHERE "resolved_at" IS NULL;
