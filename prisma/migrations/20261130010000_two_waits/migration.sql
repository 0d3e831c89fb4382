-- Accounts with a flood wait and a block: when the one is over they stand as the other says, whatever is stored.
CREATE INDEX accounts_with_two_waits ON telegram_sessions (status, id)
  WHERE flood_wait_until IS NOT NULL AND blocked_until IS NOT NULL;
