import { z } from 'zod';
import {
  ACTION_TYPES,
  accountStatus,
  actionType,
  disabledReason,
  givenInstant,
  optional,
  withDefault,
} from './fields.js';
import { normaliseChannel } from './normalise-channel.js';
import { printable } from './usage-stats.js';

/** How an account stands where it is registered from. Nothing that is taken over makes it healthier. */

const counted = z.int().min(0).max(1_000_000);
/** More channels of one action are not taken over in one request. */
const MAX_CHANNELS = 1_000;

const inChannel = z.strictObject({
  today: withDefault(counted, 0).describe('How often today (UTC)'),
  total: withDefault(z.int().min(0).max(1_000_000_000), 0).describe('How often ever; today counts at least'),
});

const byChannel = z
  .record(z.string().max(256), inChannel)
  .transform((given, context) => {
    const byKey = new Map<string, { today: number; total: number }>();
    if (Object.keys(given).length > MAX_CHANNELS) {
      context.addIssue({ code: 'custom', message: `must name at most ${MAX_CHANNELS.toLocaleString('en')} channels` });
      return z.NEVER;
    }
    for (const [name, { today, total }] of Object.entries(given)) {
      const key = normaliseChannel(name);
      if (key === null) {
        context.addIssue({
          code: 'custom',
          message: `${printable(name)}: must be a channel: an id, @name, name or t.me link`,
        });
        return z.NEVER;
      }
      // Two spellings of one channel add up.
      const before = byKey.get(key) ?? { today: 0, total: 0 };
      byKey.set(key, { today: before.today + today, total: before.total + Math.max(today, total) });
    }
    return byKey;
  })
  .meta({ maxProperties: MAX_CHANNELS });

const usageOfAction = z.strictObject({
  today: withDefault(counted, 0).describe('How often today (UTC), wherever'),
  last_hour: optional(z.array(givenInstant).max(1_000)).describe(
    'When each action of the last 60 minutes was; the hourly limit, the cooldown and the burst are judged by these',
  ),
  by_channel: optional(byChannel).describe('By channel; a channel is an id, @name, name or t.me link'),
});

export const standing = {
  status: optional(accountStatus).describe(
    'How it stood. flood_wait and blocked need their instant; one that is over has ended',
  ),
  flood_wait_until: optional(givenInstant).describe('End of its flood wait, whatever the status'),
  blocked_until: optional(givenInstant).describe(
    'End of its block, whatever the status; one in the past counts as its latest block',
  ),
  disabled_reason: optional(disabledReason).describe('Why it is disabled; disabled without one means manual'),
  usage: optional(z.partialRecord(actionType, usageOfAction)).describe(
    `Its actions so far, by action (${ACTION_TYPES.join(', ')}). The greater of two counts holds, so nothing is counted twice`,
  ),
};

export type RegisteredStanding = z.output<z.ZodObject<typeof standing, z.core.$strict>>;
export type RegisteredUsage = z.output<typeof usageOfAction>;
