import { type Finding, findingsOf, judgeClock } from './finding.js';

/** Observations of PostgreSQL. */
export interface DatabaseFacts {
  /** Such as 160004. */
  version: number;
  isReadOnly: boolean;
  encoding: string;
  /** Against this machine's clock; positive: ahead. */
  clockSkewMs: number;
  /** By name, as `pg_settings` has them. */
  settings: ReadonlyMap<string, string>;
  /** Connections of all programs. */
  connections: number;
  migrations: {
    /** Names that were not applied. */
    missing: readonly string[];
    /** Begun and not finished. */
    failed: readonly string[];
    /** Other files than those that were applied. */
    changed: readonly string[];
    /** Applied, and not known here. */
    foreign: readonly string[];
  };
  /** Tables with very many dead rows. */
  bloated: readonly { table: string; dead: number; live: number }[];
  /** Tables for which autovacuum is off. */
  withoutVacuum: readonly string[];
  /** Age of the oldest transaction number in use. */
  transactionAge: number;
  /** Longest time that a transaction of any program has been open, seconds. */
  oldestTransactionSeconds: number;
  /** Rights on tables that the user lacks, such as `INSERT on events`. */
  missingRights: readonly string[];
  outbox: { pending: number; oldestAgeSeconds: number };
  /** By key, how many sessions it has sealed. */
  sessionKeys: readonly { keyId: string; state: 'current' | 'old' | 'unknown'; sessions: number; inUse: number }[];
}

const { ok, warn, fail } = findingsOf('postgresql');

const OLDEST_VERSION = 150_000;
const BUSY_SHARE = 0.8;
/** PostgreSQL stops taking writes at 2,000 million. */
const OLD_TRANSACTIONS = 1_000_000_000;
const LONG_TRANSACTION_SECONDS = 300;
/** An event is published in less than a second. */
const OUTBOX_SECONDS = 60;

/** Judges PostgreSQL: each finding says what is right or wrong. */
export const judgeDatabase = (facts: DatabaseFacts): Finding[] => [
  judgeVersion(facts),
  facts.isReadOnly
    ? fail('writes', 'it is read-only', 'name the primary in DATABASE_URL, not a standby')
    : ok('writes', 'it takes writes'),
  facts.encoding === 'UTF8'
    ? ok('encoding', 'UTF8')
    : fail('encoding', facts.encoding, "create the database with ENCODING 'UTF8'"),
  judgeMigrations(facts.migrations),
  judgeClock('postgresql', facts.clockSkewMs),
  judgeVacuum(facts),
  ...judgeSettings(facts),
  judgeConnections(facts),
  judgeTransactions(facts),
  judgeRights(facts.missingRights),
  judgeOutbox(facts.outbox),
  judgeSessionKeys(facts.sessionKeys),
];

function judgeVersion({ version }: DatabaseFacts): Finding {
  const text = `${Math.floor(version / 10_000)}.${version % 10_000}`;
  return version >= OLDEST_VERSION
    ? ok('version', text)
    : fail('version', text, 'PostgreSQL 15 or newer is needed: upgrade it');
}

function judgeMigrations({ missing, failed, changed, foreign }: DatabaseFacts['migrations']): Finding {
  const check = 'migrations';
  if (failed.length > 0) {
    return fail(check, `not finished: ${failed.join(', ')}`, 'run `npm run migrate`; it says what to repair');
  }
  if (missing.length > 0) return fail(check, `not applied: ${missing.join(', ')}`, 'run `npm run migrate`');
  if (changed.length > 0) {
    return fail(
      check,
      `changed after they were applied: ${changed.join(', ')}`,
      'restore their files: migrations are append-only',
    );
  }
  if (foreign.length > 0) {
    return warn(check, `applied by a newer version: ${foreign.join(', ')}`, 'use the command of that version');
  }
  return ok(check, 'all applied');
}

function judgeVacuum({ settings, bloated, withoutVacuum }: DatabaseFacts): Finding {
  const check = 'autovacuum';
  if (settings.get('autovacuum') !== 'on' || settings.get('track_counts') !== 'on') {
    return fail(check, 'it is off', 'set autovacuum = on and track_counts = on: dead rows make every grant slower');
  }
  if (withoutVacuum.length > 0) {
    const tables = withoutVacuum.map((table) => `ALTER TABLE ${table} RESET (autovacuum_enabled)`).join('; ');
    return fail(check, `it is off for ${withoutVacuum.join(', ')}`, tables);
  }
  if (bloated.length > 0) {
    const tables = bloated.map(({ table, dead, live }) => `${table} (${dead} dead rows beside ${live})`).join(', ');
    return warn(
      check,
      `it does not keep up: ${tables}`,
      'set autovacuum_naptime = 5s; end old transactions; VACUUM once',
    );
  }
  return ok(check, `on, every ${settings.get('autovacuum_naptime') ?? '?'} s`);
}

function judgeSettings({ settings }: DatabaseFacts): Finding[] {
  const lost = ['fsync', 'full_page_writes'].filter((name) => settings.get(name) === 'off');
  const commit = settings.get('synchronous_commit');
  return [
    lost.length === 0
      ? ok('durability', 'fsync and full_page_writes are on')
      : warn(
          'durability',
          `${lost.join(' and ')} off`,
          `set ${lost.map((name) => `${name} = on`).join(', ')}: a power cut could destroy the database`,
        ),
    commit === 'off'
      ? warn(
          'synchronous_commit',
          'off',
          'set synchronous_commit = on: a crash forgets the last grants and counted actions',
        )
      : ok('synchronous_commit', commit ?? 'on'),
  ];
}

function judgeConnections({ connections, settings }: DatabaseFacts): Finding {
  const most = Number(settings.get('max_connections'));
  const found = `${connections} of ${most}`;
  return connections > most * BUSY_SHARE
    ? warn('connections', found, 'raise max_connections, or lower DATABASE_POOL_SIZE of the instances')
    : ok('connections', found);
}

function judgeTransactions({ transactionAge, oldestTransactionSeconds }: DatabaseFacts): Finding {
  const check = 'transactions';
  if (transactionAge > OLD_TRANSACTIONS) {
    return warn(check, `numbers are ${transactionAge} transactions old`, 'run VACUUM FREEZE before they run out');
  }
  const found = `the oldest is ${Math.round(oldestTransactionSeconds)} s old`;
  return oldestTransactionSeconds > LONG_TRANSACTION_SECONDS
    ? warn(check, found, 'end it (pg_stat_activity, pg_terminate_backend): dead rows stay as long as it is open')
    : ok(check, found);
}

const judgeRights = (missing: readonly string[]): Finding =>
  missing.length === 0
    ? ok('rights', 'the user may read and write all tables')
    : fail('rights', `the user lacks ${missing.join(', ')}`, 'GRANT them, or make the user the owner of the tables');

function judgeOutbox({ pending, oldestAgeSeconds }: DatabaseFacts['outbox']): Finding {
  const found =
    pending === 0 ? 'nothing waits' : `${pending} events wait, the oldest for ${Math.round(oldestAgeSeconds)} s`;
  return oldestAgeSeconds > OUTBOX_SECONDS
    ? fail('outbox', found, 'see that an instance runs and reaches RabbitMQ, and that no subscriber queue is full')
    : ok('outbox', found);
}

function judgeSessionKeys(keys: DatabaseFacts['sessionKeys']): Finding {
  const check = 'session keys';
  const unknown = keys.filter(({ state }) => state === 'unknown');
  const used = unknown.filter(({ inUse }) => inUse > 0);
  const tell = (some: typeof keys): string => some.map(({ keyId, sessions }) => `${sessions} by ${keyId}`).join(', ');
  if (used.length > 0) {
    const cure = 'add the missing keys to SESSION_ENCRYPTION_KEYS, or disable the accounts';
    return fail(check, `sessions are sealed by keys that are not configured: ${tell(used)}`, cure);
  }
  if (unknown.length > 0) {
    const cure = 'keep those keys if the accounts are ever to be activated; else remove the accounts';
    return warn(check, `sessions of disabled accounts are sealed by other keys: ${tell(unknown)}`, cure);
  }
  const old = keys.filter(({ state }) => state === 'old');
  return ok(check, old.length > 0 ? `older keys are still needed: ${tell(old)}` : 'the first key seals all sessions');
}
