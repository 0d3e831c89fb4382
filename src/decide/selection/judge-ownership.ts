/** The lease an account is under, as far as ownership goes. */
export interface HeldLease {
  leaseId: string;
  fence: number;
  serviceName: string;
  caller: string | null;
}

/** The claimed holder of the account: any of these may be missing. */
export interface OwnershipClaim {
  serviceName?: string | undefined;
  leaseId?: string | undefined;
  fence?: number | undefined;
  /** Identity checked by the broker or the HTTP door. */
  caller: string | null;
}

export type OwnershipRefusal = 'NOT_HELD' | 'LEASE_LOST';

/**
 * Whether the claim is that of the present holder: null when it is. A lease id or fence that is not the present one
 * is a lease that is over (`LEASE_LOST`); without them ownership goes by service name and by checked identity.
 */
export function judgeOwnership(lease: HeldLease | null, claim: OwnershipClaim): OwnershipRefusal | null {
  if (lease === null) return namesLease(claim) ? 'LEASE_LOST' : 'NOT_HELD';
  if (claim.leaseId !== undefined && claim.leaseId !== lease.leaseId) return 'LEASE_LOST';
  if (claim.fence !== undefined && claim.fence !== lease.fence) return 'LEASE_LOST';
  if (claim.serviceName !== undefined && claim.serviceName !== lease.serviceName) return 'NOT_HELD';
  if (claim.caller !== null && lease.caller !== null && claim.caller !== lease.caller) return 'NOT_HELD';
  return null;
}

/**
 * Whether an error that the claimant reports counts for the account: null when it does. The holder's counts. While
 * nobody holds the account, so does the last holder's: queues are served independently, so a report may come after the
 * release that was published behind it, or after the lease has expired, and the next caller must not get an account
 * that Telegram has just limited. A report that names no lease on an account that nobody holds counts, whoever sends it.
 * @param last the lease the account had last; null: none, or a forced release has cut its holder off
 */
export function judgeReport(
  lease: HeldLease | null,
  last: HeldLease | null,
  claim: OwnershipClaim,
): OwnershipRefusal | null {
  if (lease !== null) return judgeOwnership(lease, claim);
  return namesLease(claim) ? judgeOwnership(last, claim) : null;
}

const namesLease = ({ leaseId, fence }: OwnershipClaim): boolean => leaseId !== undefined || fence !== undefined;

/** Whether the claim says anything of who holds the account. */
export const claimsOwnership = (claim: OwnershipClaim): boolean =>
  claim.serviceName !== undefined || claim.leaseId !== undefined || claim.fence !== undefined;
