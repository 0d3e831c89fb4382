// Shows the whole at work (`make demo`): the service, a fleet of 50 accounts, three services that use them, and a
// simulated Telegram, and an operator; then proves from what they left behind that nothing went wrong. Ends with status 1 where something
// did. Takes DATABASE_URL, REDIS_URL and RABBITMQ_URL; uses a database of its own on that server, which it removes.
// KEEP=1 leaves the service running with what the demo left in it.

import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type AccountManager, connectAccountManager } from '@account-manager/client';
import { connect } from 'amqplib';
import pg from 'pg';
import { REQUEST_QUEUES } from '../contracts/topology.js';
import { migrate } from '../scripts/migrate.mjs';
import { describeConsole, startService, stopService } from '../scripts/service.mjs';
import { isListening } from '../scripts/servers/probe.mjs';
import { freePort } from '../scripts/servers/process.mjs';
import { parseCsv } from './csv.js';
import { type Child, startChild } from './demo/children.js';
import { listenToEvents, type ReceivedEvent } from './demo/events.js';
import {
  loadAccountIds,
  loadEvents,
  loadFigures,
  loadHistory,
  loadOpenAlerts,
  loadWaiting,
  readLedger,
} from './demo/history.js';
import {
  endWaitsAt,
  letMidnightPass,
  loadArchive,
  loadCounters,
  readReentry,
  readReport,
  readUsedToday,
  runJob,
} from './demo/operate.js';
import type { ActionLimits, StoredEvent } from './demo/prove.js';
import { type Midnight, printSummary, prove } from './demo/summary.js';
import { createView, type View } from './demo/view.js';

const RUN_SECONDS = 30;
const STATUS_MS = 2_000;
const POLL_MS = 100;
/** How long events may take to arrive when nothing happens any more. */
const ARRIVAL_MS = 10_000;
/** When the waits end on which an operator decides. */
const RECOVERY_MS = 3_000;
/** One account of fifty that waits is enough for an alert. */
const ALERT_PERCENT = '1';
const SERVICES = ['inviting', 'messaging', 'parsing'];
/** With the service's state, where `make down` looks for it. */
const FOLDER = path.resolve('.local/demo');
const LEDGER = path.join(FOLDER, 'telegram-ledger.jsonl');
const LIMITS = path.resolve(import.meta.dirname, 'demo/limits.json');
const FLEET = path.resolve(import.meta.dirname, 'fleet.csv');

/** How to put away what was started, the last first. */
const undo: (() => Promise<unknown>)[] = [];
const { KEEP } = process.env;
const isKept = Boolean(KEEP) && KEEP !== '0';

try {
  const isProved = await Promise.race([play(), interrupted()]);
  process.exitCode = isProved ? 0 : 1;
} catch (error) {
  console.error(`\ndemo: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
}
for (const putAway of undo.reverse()) {
  await putAway().catch((error: unknown) => console.error(`demo: ${String(error)}`));
}
process.exit(); // whatever an interruption has left half done

/** Starts a file of the examples as a process. */
type Start = (name: string, file: string, ...args: string[]) => Child;

/** Plays the whole; true where every claim of the summary is proved. */
async function play(): Promise<boolean> {
  const { DATABASE_URL, REDIS_URL, RABBITMQ_URL } = process.env;
  if (!DATABASE_URL || !REDIS_URL || !RABBITMQ_URL) {
    throw new Error('DATABASE_URL, REDIS_URL and RABBITMQ_URL must be set: `make demo` starts servers and sets them');
  }
  mkdirSync(FOLDER, { recursive: true });
  rmSync(LEDGER, { force: true });
  await stopService(FOLDER); // which an earlier demo left
  await assertUnserved(RABBITMQ_URL);
  const databaseUrl = await createDatabase(DATABASE_URL);
  const database = await connectDatabase(databaseUrl);
  undo.push(() => database.end());
  const serviceUrl = await startAccountManager({
    ...process.env,
    DATABASE_URL: databaseUrl,
    LIMITS_FILE: LIMITS,
    ALERT_FLOOD_WAIT_PERCENT: ALERT_PERCENT,
  });

  const view = createView();
  const names = new Map<string, string>();
  const nameOf = (accountId = '') => names.get(accountId) ?? accountId;
  const events = await listenToEvents(RABBITMQ_URL, (event) => view.event(event, nameOf(event.subject)));
  undo.push(() => events.close());

  const telegramUrl = `tcp://127.0.0.1:${await freePort()}`;
  const start: Start = (name, file, ...args) => {
    const env = { ...process.env, TELEGRAM_URL: telegramUrl };
    return startChild(name, [path.resolve(import.meta.dirname, file), ...args], { folder: FOLDER, env });
  };
  const telegram = start('telegram', 'telegram-simulator.ts', new URL(telegramUrl).port, FLEET, LEDGER);
  undo.push(() => telegram.stop());

  view.say('importing examples/fleet.csv over the bus');
  const fleetImport = start('import', 'import-fleet.ts', FLEET);
  undo.push(() => fleetImport.stop());
  view.say(await runToEnd(fleetImport));
  for (const [id, name] of await loadNames(database)) names.set(id, name);
  while (!(await isListening(telegramUrl))) await Promise.race([sleep(POLL_MS), telegram.failed]);

  await runServices(start, telegram, database, view);
  const figures = await loadFigures(database);

  const manager = await connectAccountManager(RABBITMQ_URL, { serviceName: 'operating' });
  undo.push(() => manager.close());
  view.say('an operator asks for a report');
  await runJob(manager, 'report');
  const report = await readReport(manager, serviceUrl);
  await endWaits(manager, database, view, nameOf);
  view.say('an operator has the fleet looked through again');
  await runJob(manager, 'health-scan');
  const history = await loadHistory(database);
  view.say('midnight passes: everything that was done is of the day before');
  const midnight = await passMidnight(manager, database);

  const { stored, received } = await untilAllHaveArrived(database, events.received);
  const openAlerts = await loadOpenAlerts(database);
  const limits = JSON.parse(readFileSync(LIMITS, 'utf8')) as Record<string, ActionLimits>;
  const evidence = { history, ledger: readLedger(LEDGER), events: stored, received, openAlerts, report, midnight };
  return printSummary(figures, prove({ ...evidence, limits }), RUN_SECONDS);
}

/** Lets the services use the accounts for a while, shows how it goes, and ends them. */
async function runServices(start: Start, telegram: Child, database: pg.Client, view: View): Promise<void> {
  view.say(`starting the services ${SERVICES.join(', ')}, each in a process of its own`);
  const services = SERVICES.map((name) => start(name, `services/${name}.ts`));
  const stopServices = () => Promise.all(services.map((child) => child.stop()));
  undo.push(stopServices);
  const failed = Promise.race([telegram, ...services].map((child) => child.failed));
  const endsAt = Date.now() + RUN_SECONDS * 1000;
  while (Date.now() < endsAt) {
    await Promise.race([sleep(STATUS_MS), failed]);
    view.status(await loadFigures(database));
  }
  view.say('telling the services to end: each finishes its action and gives its accounts back');
  await stopServices();
}

/** Lets all waits end at one instant, and waits until the accounts have recovered. */
async function endWaits(
  manager: AccountManager,
  database: pg.Client,
  view: View,
  nameOf: (accountId: string) => string,
): Promise<void> {
  const { waiting, blocked } = await loadWaiting(database);
  const at = Date.now() + RECOVERY_MS;
  view.say(`an operator lets the ${waiting.length} waits end at ${new Date(at).toISOString().slice(11, 23)}`);
  await endWaitsAt(manager, waiting, at);
  const giveUpAt = at + ARRIVAL_MS;
  while ((await loadWaiting(database)).waiting.length > 0 && Date.now() < giveUpAt) await sleep(POLL_MS);
  for (const accountId of blocked) {
    const reentry = await readReentry(manager, accountId);
    if (reentry !== null)
      view.say(
        `${nameOf(accountId)} was blocked: it has ${reentry.daily_percent} % of its daily limits until ${reentry.until}`,
      );
  }
}

/** Lets a midnight pass and the reset run; tells what was seen before and after. */
async function passMidnight(manager: AccountManager, database: pg.Client): Promise<Midnight> {
  const before = await loadCounters(database);
  await letMidnightPass(database);
  const used = await readUsedToday(manager, database);
  const run = await runJob(manager, 'reset-daily-limits');
  const after = await loadCounters(database);
  return {
    day: run.scheduled_for.slice(0, 10),
    used,
    archive: await loadArchive(database),
    ofTheDay: after.ofTheDay,
    forEver: [before.forEver, after.forEver],
  };
}

/** Rejects when the demo is told to end before its time. */
function interrupted(): Promise<never> {
  return new Promise((_, reject) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) {
      process.on(signal, () => reject(new Error(`stopped by ${signal}`)));
    }
  });
}

/** Two account managers with two databases must not answer the same queues. */
async function assertUnserved(url: string): Promise<void> {
  const connection = await connect(url);
  const channel = await connection.createChannel();
  channel.on('error', () => undefined); // no such queue, so nobody serves it
  const queue = await channel.checkQueue(REQUEST_QUEUES.allocate.name).catch(() => ({ consumerCount: 0 }));
  await connection.close();
  if (queue.consumerCount > 0)
    throw new Error('another account manager serves this vhost: give the demo one of its own');
}

/** A new, migrated database on the given server. */
async function createDatabase(givenUrl: string): Promise<string> {
  const url = new URL(givenUrl);
  const name = `demo_${Date.now()}`;
  url.pathname = name;
  await migrate(url.href);
  if (isKept) return url.href;
  undo.push(async () => {
    const client = await connectDatabase(givenUrl);
    await client.query(`DROP DATABASE ${pg.escapeIdentifier(name)} WITH (FORCE)`);
    await client.end();
  });
  return url.href;
}

async function connectDatabase(url: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url, application_name: 'demo' });
  client.on('error', () => undefined); // the next query fails and says why
  await client.connect();
  return client;
}

/** Starts the built service; answers where its HTTP door is. */
async function startAccountManager(env: NodeJS.ProcessEnv): Promise<string> {
  if (!isKept) undo.push(() => stopService(FOLDER));
  const { url } = await startService(FOLDER, env);
  if (isKept) undo.push(() => Promise.resolve(printAddresses(url, env.DATABASE_URL)));
  return url;
}

/** Resolves with the last line that the process wrote; rejects when it failed. */
async function runToEnd(child: Child): Promise<string> {
  if ((await child.ended) !== 0) await child.failed;
  return readFileSync(child.log, 'utf8').trimEnd().split('\n').at(-1) ?? '';
}

/** Names for accounts that tell no phone number: their line in the fleet. */
async function loadNames(database: pg.Client): Promise<Map<string, string>> {
  const accountIds = await loadAccountIds(database);
  const fleet = parseCsv(readFileSync(FLEET, 'utf8'));
  return new Map(
    fleet.map(({ line, fields: { phone = '', user_id: userId } }) => [
      accountIds.get(phone) ?? '',
      `account ${line - 1} (user ${userId})`,
    ]),
  );
}

/** Waits until all events have been published and have arrived; what is missing after a while is the proof's business. */
async function untilAllHaveArrived(
  database: pg.Client,
  arriving: readonly ReceivedEvent[],
): Promise<{ stored: StoredEvent[]; received: ReceivedEvent[] }> {
  const giveUpAt = Date.now() + ARRIVAL_MS;
  for (;;) {
    const stored = await loadEvents(database);
    if (stored.length === arriving.length || Date.now() >= giveUpAt) return { stored, received: [...arriving] };
    await sleep(POLL_MS);
  }
}

function printAddresses(serviceUrl: string, databaseUrl: string | undefined): void {
  const { RABBITMQ_URL, RABBITMQ_MANAGEMENT_URL } = process.env;
  console.log(`
The account manager goes on running, with what the demo left in it:
  console     ${describeConsole(serviceUrl, process.env)}
  health      ${serviceUrl}/health/ready
  metrics     ${serviceUrl}/metrics
  RabbitMQ    ${RABBITMQ_MANAGEMENT_URL ?? RABBITMQ_URL}
  PostgreSQL  ${databaseUrl}
  logs        ${path.relative('', FOLDER)}/*.log
\`make down\` stops it.`);
}
