-- Phone numbers, to be searched by a part of 4 digits or more. In a table of their own: an account's row is written with
-- every grant and release, and each of its versions would have ten more entries in the index.
CREATE FUNCTION "phone_parts"("phone" text) RETURNS text[] LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT COALESCE(array_agg(DISTINCT substr("phone", n, 4)), '{}') FROM generate_series(1, length("phone") - 3) n
$$;
CREATE TABLE "account_phones" (
  "account_id" UUID NOT NULL,
  -- Without its leading +.
  "phone" TEXT NOT NULL,
  CONSTRAINT "account_phones_pkey" PRIMARY KEY ("account_id"),
  CONSTRAINT "account_phones_account_id_fkey" FOREIGN KEY ("account_id") REFERENCES "telegram_sessions" ("id") ON DELETE CASCADE ON UPDATE CASCADE
);
INSERT INTO "account_phones" SELECT "id", ltrim("phone", '+') FROM "telegram_sessions" WHERE "phone" IS NOT NULL;
CREATE INDEX "account_phones_by_part" ON "account_phones" USING GIN ("phone_parts"("phone")) WITH (fastupdate = off);

CREATE FUNCTION "keep_account_phone"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO account_phones VALUES (NEW.id, ltrim(NEW.phone, '+'))
  ON CONFLICT (account_id) DO UPDATE SET phone = EXCLUDED.phone;
  RETURN NULL;
END $$;
CREATE TRIGGER "phones_are_searched" AFTER INSERT ON "telegram_sessions" FOR EACH ROW
  WHEN (NEW."phone" IS NOT NULL) EXECUTE FUNCTION "keep_account_phone"();
CREATE TRIGGER "changed_phones_are_searched" AFTER UPDATE OF "phone" ON "telegram_sessions" FOR EACH ROW
  WHEN (NEW."phone" IS NOT NULL AND NEW."phone" IS DISTINCT FROM OLD."phone") EXECUTE FUNCTION "keep_account_phone"();
