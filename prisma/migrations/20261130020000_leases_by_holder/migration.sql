-- The accounts that a service holds, in the order of their ids: a page of them is read from the index alone.
CREATE INDEX open_leases_by_holder ON leases (service_name, account_id) INCLUDE (expires_at) WHERE ended_at IS NULL;
