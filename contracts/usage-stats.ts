import { z } from 'zod';
import { count, errorText, optional, withDefault } from './fields.js';
import { normaliseChannel } from './normalise-channel.js';

/** More names than these say nothing new, and a reply stays small. */
const MAX_IGNORED = 20;
/** A longer name is cut. */
const MAX_NAME = 100;
const MAX_CHANNEL = 256;
/** The rest of a longer text is not looked at. */
const MAX_READ = 1000;
/** A run like a session string or a key: it must not be kept as the name of a channel. */
const SECRET = /[\w+/=-]{100}/;
/** Nor must a phone number. */
const PHONE = /\+\d{7}|phone=|^(?!-)[^\p{L}\d]*(?:\d[^\p{L}\d]*){7,}$/iu;
const CONTROL = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]+/gu;

/** A text on one line that every store keeps. */
const clean = (given: string): string => given.replaceAll(CONTROL, ' ').trim();

const isSecret = (given: string): boolean => SECRET.test(given) || PHONE.test(given);

/** A name of the caller's as a reply has it: cut, without what no store keeps; a secret in its place does not come back. */
export const printable = (name: string): string =>
  isSecret(name.slice(0, MAX_READ)) ? '…' : clean(name.slice(0, MAX_NAME));

/**
 * The key to charge a channel under. A text that cannot be read is its own key, so that what was done there is counted
 * somewhere; null where there is nothing to count under: no text, a secret, a phone number.
 */
function chargedKey(given: unknown): { key: string | null; isRead: boolean } {
  if (typeof given !== 'string' && typeof given !== 'number') return { key: null, isRead: false };
  const read = normaliseChannel(String(given));
  if (read !== null) return { key: read, isRead: true };
  const own = clean(String(given).slice(0, MAX_READ));
  if (own === '' || isSecret(own)) return { key: null, isRead: false };
  const cut = clean(own.slice(0, MAX_CHANNEL));
  return { key: normaliseChannel(cut) ?? cut, isRead: false };
}

const channelsUsed = z
  .array(z.unknown().meta({ type: ['string', 'integer'] }))
  .max(1000)
  .describe('Channels invited to; without channel_usage each is charged the whole uncounted amount');

const channelUsage = z
  .record(z.string(), count)
  .refine((given) => Object.keys(given).length <= 1000, 'must name at most 1000 channels')
  .meta({ maxProperties: 1000 })
  .describe('Invites by channel; at most 1,000 names');

const KNOWN = {
  invites_sent: withDefault(count, 0),
  messages_sent: withDefault(count, 0),
  contacts_added: withDefault(count, 0),
  success: withDefault(z.boolean(), true),
  channels_used: optional(channelsUsed),
  channel_usage: optional(channelUsage),
  error_type: optional(errorText),
  error_message: optional(errorText),
};

/**
 * The report of a holder at release. It never fails for a channel that cannot be read or for a field that nobody knows:
 * the account would stay leased, and callers do not look at this answer. `ignored` names them.
 */
export const usageStats = z
  .looseObject(KNOWN)
  .describe('Further fields change nothing; the reply names them in ignored')
  .transform(({ channels_used: used, channel_usage: split, ...given }) => {
    const ignored = new Set(Object.keys(given).filter((field) => !Object.hasOwn(KNOWN, field)));
    const charge = (channel: unknown, path: string): string[] => {
      const { key, isRead } = chargedKey(channel);
      if (!isRead) ignored.add(key ?? path);
      return key === null ? [] : [key];
    };
    const channels = used?.flatMap((channel, index) => charge(channel, `channels_used.${index}`));
    // Two spellings of one channel add up.
    const byChannel = new Map<string, number>();
    Object.entries(split ?? {}).forEach(([channel, invites], index) => {
      for (const key of charge(channel, `channel_usage.${index}`))
        byChannel.set(key, (byChannel.get(key) ?? 0) + invites);
    });
    return {
      invites_sent: given.invites_sent,
      messages_sent: given.messages_sent,
      contacts_added: given.contacts_added,
      success: given.success,
      channels_used: channels && [...new Set(channels)],
      channel_usage: split && Object.fromEntries(byChannel),
      error_type: given.error_type,
      error_message: given.error_message,
      ignored: ignored.size === 0 ? undefined : [...ignored].slice(0, MAX_IGNORED).map(printable),
    };
  });
