ALTER TABLE "channel_usage" DROP CONSTRAINT "channel_usage_pkey",
  ADD CONSTRAINT "channel_usage_pkey" PRIMARY KEY USING INDEX "channel_usage_by_name";
