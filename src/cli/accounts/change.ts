import type { BULK_ACTIONS } from '../../../contracts/fleet-work.js';
import type { OperationName } from '../../../contracts/operations.js';
import type { Fields } from '../client.js';
import type { FilterOptions } from './filter.js';

type BulkAction = (typeof BULK_ACTIONS)[number];

/** A verb that changes accounts. */
export interface Change {
  verb: string;
  description: string;
  /** As a person is asked: `Disable`. */
  imperative: string;
  /** `disabled`. */
  participle: string;
  /** It takes something away, so a person is asked even for one account. */
  isDestructive: boolean;
  /** The operation on one account. */
  operation: OperationName;
  fields: Fields;
  /** The operation on all that match a filter; null: they are changed one by one. */
  bulk: BulkAction | null;
  /** Effect of `--force`; null: there is no such option. */
  force: string | null;
}

export const CHANGES: readonly Change[] = [
  {
    verb: 'recover',
    description: 'end the waits of accounts, and their count of errors, now',
    imperative: 'Recover',
    participle: 'recovered',
    isDestructive: false,
    operation: 'admin.recover',
    fields: {},
    bulk: 'recover',
    force: 'recover disabled accounts too, whatever they are disabled for',
  },
  {
    verb: 'activate',
    description: 'let accounts be handed out again that are disabled or draining',
    imperative: 'Activate',
    participle: 'activated',
    isDestructive: false,
    operation: 'admin.set-status',
    fields: { status: 'active' },
    bulk: 'activate',
    force: 'end their waits too',
  },
  {
    verb: 'drain',
    description: 'hand accounts out no more once their leases have ended',
    imperative: 'Drain',
    participle: 'drained',
    isDestructive: true,
    operation: 'admin.set-status',
    fields: { status: 'draining' },
    bulk: 'drain',
    force: null,
  },
  {
    verb: 'disable',
    description: 'hand accounts out no more until they are activated',
    imperative: 'Disable',
    participle: 'disabled',
    isDestructive: true,
    operation: 'admin.set-status',
    fields: { status: 'disabled' },
    bulk: 'disable',
    force: null,
  },
  {
    verb: 'release',
    description: 'take accounts away from their holders',
    imperative: 'Take back',
    participle: 'taken back',
    isDestructive: true,
    operation: 'admin.force-release',
    fields: {},
    bulk: 'force-release',
    force: null,
  },
  {
    verb: 'remove',
    description: 'erase sessions, phone numbers and metadata of accounts for good; only their history stays',
    imperative: 'Remove for good',
    participle: 'removed',
    isDestructive: true,
    operation: 'admin.remove',
    fields: {},
    bulk: null,
    force: null,
  },
];

export interface ChangeOptions extends FilterOptions {
  reason: string;
  yes?: boolean;
  dryRun?: boolean;
  force?: boolean;
  expectedCount?: number;
}
