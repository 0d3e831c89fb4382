import type { Command } from 'commander';
import { ACCOUNT_STATUSES, DISABLED_REASONS } from '../../../contracts/fields.js';
import { choice, toServiceName, withUser } from '../options.js';

/** Which accounts are meant; those that meet every condition. */
export interface FilterOptions {
  user?: number;
  status?: string;
  disabledReason?: string;
  leasedBy?: string;
}

export const withFilter = (command: Command): Command =>
  withUser(command)
    .addOption(choice('--status <status>', 'only accounts in this status', ACCOUNT_STATUSES))
    .addOption(choice('--disabled-reason <reason>', 'only accounts that are disabled for this', DISABLED_REASONS))
    .option('--leased-by <service>', 'only accounts that this service has', toServiceName);

/** As the operations name it. */
export const toFields = ({ user, status, disabledReason, leasedBy }: FilterOptions) => ({
  user_id: user,
  status,
  disabled_reason: disabledReason,
  leased_by: leasedBy,
});

export const isUnfiltered = (filter: FilterOptions): boolean =>
  Object.values(toFields(filter)).every((value) => value === undefined);

/** `user 7, status active`. */
export const tellFilter = (filter: FilterOptions): string =>
  Object.entries({
    user: filter.user,
    status: filter.status,
    'disabled for': filter.disabledReason,
    'leased by': filter.leasedBy,
  })
    .flatMap(([name, value]) => (value === undefined ? [] : [`${name} ${value}`]))
    .join(', ');
