-- Where the session is enough to know an account by, it has no phone number.
ALTER TABLE "telegram_sessions" ALTER COLUMN "phone" DROP NOT NULL;
