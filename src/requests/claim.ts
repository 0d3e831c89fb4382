import type { OwnershipClaim } from '../decide/selection/judge-ownership.js';

/** What a request says of who holds the account. */
export const claimOf = (request: {
  caller: string | null;
  body: { service_name?: string | undefined; lease_id?: string | undefined; fence?: number | undefined };
}): OwnershipClaim => ({
  caller: request.caller,
  serviceName: request.body.service_name,
  leaseId: request.body.lease_id,
  fence: request.body.fence,
});
