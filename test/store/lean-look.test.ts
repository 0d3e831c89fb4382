import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import fc from 'fast-check';
import pg from 'pg';
import { ACTION_TYPES, type ActionType, PURPOSES } from '../../contracts/fields.js';
import { type GrantWish, toOffer } from '../../src/accounts/judge-grant.js';
import { roomAt, usageFor } from '../../src/accounts/surveys.js';
import type { ActionPolicy, LimitsPolicy } from '../../src/decide/limits/limits-policy.js';
import { judgeCandidate } from '../../src/decide/selection/select-account.js';
import { type FreeAccount, listFreeAccounts } from '../../src/store/accounts/list-free.js';
import { loadAccounts } from '../../src/store/accounts/load-accounts.js';
import { createDatabase as connectDatabase, type Database } from '../../src/store/database.js';
import { createDatabase, type TestDatabase } from '../support/database.js';

/*
 * A survey reads little of each account, a grant reads its whole record. Both must say the same of when it has room.
 */

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const CHANNELS = ['a', 'b', 'c,"1|'];

let testDatabase: TestDatabase;
let database: Database;
let client: pg.Client;
let nextUser = 1;

beforeAll(async () => {
  testDatabase = await createDatabase();
  database = connectDatabase({ url: testDatabase.url, poolSize: 2, onConnectionError: () => {} });
  client = new pg.Client({ connectionString: testDatabase.url, options: '-c TimeZone=UTC' });
  await client.connect();
});

afterAll(async () => {
  await client.end();
  await database.close();
  await testDatabase.drop();
});

/** Milliseconds before now; a negative one is after it: the clock was set back. */
const ago = (max: number) =>
  fc.oneof(
    { weight: 9, arbitrary: fc.integer({ min: 0, max }) },
    { weight: 1, arbitrary: fc.integer({ min: -HOUR, max: 0 }) },
  );
const orNone = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: null, freq: 3 });
const day = orNone(fc.integer({ min: -2, max: 1 }));

const window = fc.record({
  recent: fc.array(ago(100 * MINUTE), { maxLength: 6 }).map((agos) => agos.sort((a, b) => b - a)),
  last: orNone(ago(2 * HOUR)),
  burst: fc.nat(4),
  day,
  dayCount: fc.nat(8),
});
const counter = fc.record({
  channel: fc.constantFrom(...CHANNELS),
  action: fc.constantFrom(...ACTION_TYPES),
  day,
  dayCount: fc.nat(5),
  before: fc.nat(4),
});
const account = fc.record({
  lastUsed: orNone(ago(2 * DAY)),
  blockEnded: orNone(ago(5 * DAY)),
  windows: fc.dictionary(fc.constantFrom(...ACTION_TYPES), window),
  counters: fc.uniqueArray(counter, { maxLength: 8, selector: ({ channel, action }) => `${action} ${channel}` }),
});
const limit = (max: number) => orNone(fc.integer({ min: 0, max }));
const actionPolicy: fc.Arbitrary<ActionPolicy> = fc.record({
  cooldownSeconds: orNone(fc.constantFrom(0, 0.5, 120, 3_000)),
  burstLimit: limit(4),
  burstCooldownSeconds: fc.constantFrom(0, 90, 1_800),
  hourlyLimit: limit(5),
  dailyLimit: limit(9),
  perChannelDaily: limit(5),
  perChannelTotal: limit(9),
});
const policy = fc.record(
  Object.fromEntries(ACTION_TYPES.map((action) => [action, actionPolicy])) as Record<ActionType, typeof actionPolicy>,
);
const reentry = fc.record({ days: fc.nat(4), share: fc.constantFrom(0.1, 0.5, 1) });
const wish = fc.record({
  purpose: fc.constantFrom(...PURPOSES),
  channel: orNone(fc.constantFrom(...CHANNELS)),
  leaseMs: fc.constantFrom(MINUTE, 30 * MINUTE, DAY),
});

async function store(user: number, accounts: readonly (typeof account extends fc.Arbitrary<infer T> ? T : never)[]) {
  const now = Date.now();
  const instant = (ms: number | null) => (ms === null ? null : new Date(now - ms).toISOString());
  const date = (days: number | null) => instant(days === null ? null : -days * DAY)?.slice(0, 10) ?? null;
  const stored = accounts.map((one) => ({ ...one, id: randomUUID() }));
  await client.query(
    `INSERT INTO telegram_sessions (id, user_id, session_data, session_key_id, session_fingerprint, last_used_at, last_block_ended_at)
     SELECT id, $1, '\\x00', 'key', id, last_used_at, last_block_ended_at
     FROM jsonb_to_recordset($2) AS r(id uuid, last_used_at timestamptz, last_block_ended_at timestamptz)`,
    [
      user,
      JSON.stringify(
        stored.map(({ id, lastUsed, blockEnded }) => ({
          id,
          last_used_at: instant(lastUsed),
          last_block_ended_at: instant(blockEnded),
        })),
      ),
    ],
  );
  const windows = stored.flatMap(({ id, windows }) =>
    Object.entries(windows).map(([action, { recent, last, burst, day, dayCount }]) => ({
      account_id: id,
      action_type: action,
      recent: recent.map(instant),
      burst_count: burst,
      last_action_at: instant(last),
      day: date(day),
      day_count: dayCount,
    })),
  );
  await client.query('INSERT INTO usage_windows SELECT * FROM jsonb_populate_recordset(NULL::usage_windows, $1)', [
    JSON.stringify(windows),
  ]);
  const counters = stored.flatMap(({ id, counters }) =>
    counters.map(({ channel, action, day, dayCount, before }) => ({
      account_id: id,
      action_type: action,
      channel,
      day: date(day),
      day_count: dayCount,
      total: dayCount + before,
    })),
  );
  await client.query('INSERT INTO channel_usage SELECT * FROM jsonb_populate_recordset(NULL::channel_usage, $1)', [
    JSON.stringify(counters),
  ]);
  return stored.map(({ id }) => id);
}

async function listed(user: number, wishes: readonly GrantWish[]) {
  const seen = new Map<string, { account: FreeAccount; now: number }>();
  for await (const { now, accounts } of listFreeAccounts(database.reader, user, usageFor(wishes, Date.now()))) {
    for (const account of accounts) seen.set(account.accountId, { account, now });
  }
  return seen;
}

test('a survey tells as exactly as the whole record when an account has room', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(account, { minLength: 1, maxLength: 12 }),
      fc.array(wish, { minLength: 1, maxLength: 3 }),
      policy,
      reentry,
      async (accounts, asked, limits: LimitsPolicy, afterBlock) => {
        const user = nextUser++;
        const ids = await store(user, accounts);
        const wishes = asked.map((one) => ({
          ...one,
          hasChannel: one.channel !== null,
          policy: limits,
          reentry: afterBlock,
        }));
        const seen = await listed(user, wishes);
        expect([...seen.keys()].sort()).toEqual([...ids].sort());
        const { accounts: records } = await loadAccounts(database.reader, { accountIds: ids, channels: CHANNELS });
        for (const [id, { account: lean, now }] of seen) {
          const record = records.get(id)!;
          expect(lean.lastUsedAt).toBe(record.lastUsedAt);
          for (const one of wishes) {
            const { eligible, eligibleAt } = judgeCandidate(toOffer(record, one, now), one, now);
            const at = roomAt(lean, one, now);
            expect(at).toBe(eligibleAt);
            expect(at !== null && at <= now).toBe(eligible);
          }
        }
      },
    ),
    { numRuns: 150 },
  );
});
