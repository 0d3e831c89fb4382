-- Accounts that an operator has removed. The row of the account itself goes, with its session, phone number and metadata;
-- what was done to it stays under its id, so the history no longer refers to a row that must be there.
CREATE TABLE "removed_accounts" (
  "id" UUID NOT NULL,
  "user_id" BIGINT NOT NULL,
  "removed_at" TIMESTAMPTZ(3) NOT NULL,
  CONSTRAINT "removed_accounts_pkey" PRIMARY KEY ("id")
);
ALTER TABLE "leases" DROP CONSTRAINT "leases_account_id_fkey";
ALTER TABLE "usage_archive" DROP CONSTRAINT "usage_archive_account_id_fkey";

-- What an operator's filter over the whole fleet is searched by; no grant changes these columns.
CREATE INDEX "accounts_by_status" ON "telegram_sessions" ("status", "id");
CREATE INDEX "disabled_accounts" ON "telegram_sessions" ("disabled_reason", "id") WHERE "status" = 'disabled';
