-- An allocation that was answered is looked up by the id of its request, to be explained.
CREATE INDEX "answered_allocations" ON "answered_requests" (("reply" -> 'asked' ->> 'request_id'))
  WHERE "operation" = 'account.allocate';
