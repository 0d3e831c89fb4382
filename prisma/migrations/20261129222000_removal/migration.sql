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

-- The key also kept accounts with an open lease from being deleted. This trigger still does; a lease is only written in the
-- statement that claims its account, so inserts need no check.
CREATE FUNCTION "keep_leased_account"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'account % has an open lease', OLD.id
    USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'leased_account_stays';
END $$;
CREATE TRIGGER "leased_account_stays" BEFORE DELETE ON "telegram_sessions" FOR EACH ROW
  WHEN (OLD."locked") EXECUTE FUNCTION "keep_leased_account"();

-- What an operator's filter over the whole fleet is searched by; no grant changes these columns.
CREATE INDEX "accounts_by_status" ON "telegram_sessions" ("status", "id");
CREATE INDEX "disabled_accounts" ON "telegram_sessions" ("disabled_reason", "id") WHERE "status" = 'disabled';
