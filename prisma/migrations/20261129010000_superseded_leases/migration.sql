-- A holder that asks again for its account gets it under a new lease; the old one ends as superseded.
ALTER TABLE "leases" DROP CONSTRAINT "end_reason_is_known";
ALTER TABLE "leases" ADD CONSTRAINT "end_reason_is_known"
  CHECK ("end_reason" IN ('released', 'expired', 'forced', 'superseded'));
