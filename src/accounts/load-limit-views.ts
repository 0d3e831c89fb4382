import type { ActionType } from '../../contracts/fields.js';
import { type ChannelUsage, EMPTY_WINDOW, type UsageWindow } from '../decide/limits/usage-window.js';
import { windowName } from '../redis/window-cache.js';
import { type AccountHead, loadAccountHeads } from '../store/accounts/load-account-heads.js';
import { loadEveryChannel, loadNamedChannels, loadWindows } from '../store/accounts/load-windows.js';
import type { BatchContext } from '../requests/handler.js';

/** An account as limits are read of it, without a lock. */
export interface LimitView extends AccountHead {
  windowOf: (actionType: ActionType) => UsageWindow;
  /** By `channelKey`; those asked for. */
  channels: ReadonlyMap<string, ChannelUsage>;
}

/** Asks for the counters of every channel. */
export const EVERY_CHANNEL = Symbol('every channel');

export interface WantedLimits {
  accountId: string;
  actionTypes: readonly ActionType[];
  /** Counters of this channel; null: none. */
  channel: string | typeof EVERY_CHANNEL | null;
}

/**
 * Reads what limits are judged by: the account from the database, its windows from Redis where they are there in the
 * present version, else from the database, which then fills the cache.
 */
export async function loadLimitViews(
  context: BatchContext,
  wanted: readonly WantedLimits[],
): Promise<{ now: number; views: Map<string, LimitView> }> {
  const { now, heads } = await loadAccountHeads(context.sql, [...new Set(wanted.map((want) => want.accountId))]);
  const names = wanted.flatMap(({ accountId, actionTypes }) => {
    const usageVersion = heads.get(accountId)?.usageVersion;
    return usageVersion === undefined ? [] : actionTypes.map((actionType) => ({ accountId, actionType, usageVersion }));
  });
  const cached = await context.windowCache.load(names);
  const missing = names.filter((name) => !cached.has(windowName(name)));
  const stored = await loadWindows(context.sql, [...new Set(missing.map((name) => name.accountId))]);
  const windows = new Map(cached);
  for (const name of missing)
    windows.set(windowName(name), stored.get(name.accountId)?.get(name.actionType) ?? EMPTY_WINDOW);
  if (missing.length > 0) {
    context.afterCommit(() =>
      context.windowCache.store(
        missing.map((name) => ({ ...name, window: windows.get(windowName(name)) ?? EMPTY_WINDOW })),
      ),
    );
  }

  const channels = await loadWantedChannels(context, wanted);
  const views = new Map<string, LimitView>();
  for (const [accountId, head] of heads) {
    views.set(accountId, {
      ...head,
      windowOf: (actionType) => windows.get(windowName({ accountId, actionType })) ?? EMPTY_WINDOW,
      channels: channels.get(accountId) ?? new Map(),
    });
  }
  return { now, views };
}

async function loadWantedChannels({ sql }: BatchContext, wanted: readonly WantedLimits[]) {
  const named = wanted.flatMap(({ accountId, channel }) => (typeof channel === 'string' ? { accountId, channel } : []));
  const told = wanted.flatMap(({ accountId, channel }) => (channel === EVERY_CHANNEL ? accountId : []));
  const [some, all] = await Promise.all([loadNamedChannels(sql, named), loadEveryChannel(sql, [...new Set(told)])]);
  return new Map([...some, ...all]);
}
