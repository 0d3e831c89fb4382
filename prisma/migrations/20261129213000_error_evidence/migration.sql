-- Why a reported error was classified as it was; null for reports from before.
ALTER TABLE "error_reports"
  ADD COLUMN "decided_by" TEXT,
  ADD COLUMN "found" TEXT;
