import type { OwnershipClaim } from '../decide/selection/judge-ownership.js';

/** Fields of a request that name the holder of the account. */
export const claimOf = (request: {
  caller: string | null;
  body: { service_name?: string | undefined; lease_id?: string | undefined; fence?: number | undefined };
}): OwnershipClaim => ({
  caller: request.caller,
  serviceName: request.body.service_name,
  leaseId: request.body.lease_id,
  fence: request.body.fence,
});
