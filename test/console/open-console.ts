import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import axe from 'axe-core';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import type { CloudEvent } from '../../contracts/events.js';
import { EXCHANGES } from '../../contracts/topology.js';
import { type OpenService, openService } from '../conformance/open-service.js';
import { openChromium } from './chromium.js';

export const TOKENS = {
  operator: 'a-token-of-the-operator',
  reader: 'a-token-of-the-reader',
  owner: 'a-token-of-the-owner',
  inviting: 'a-token-of-inviting',
};
export type Role = keyof typeof TOKENS;
/** The user whose accounts `owner` may see. */
export const OWNED_USER = 101;

const hashOf = (token: string): string => createHash('sha256').update(token).digest('hex');
const ACCESS = {
  services: [
    { name: 'operator', role: 'operator', users: '*', http_token_sha256: [hashOf(TOKENS.operator)] },
    { name: 'reader', users: '*', operations: ['query.*'], http_token_sha256: [hashOf(TOKENS.reader)] },
    { name: 'owner', role: 'operator', users: [OWNED_USER], http_token_sha256: [hashOf(TOKENS.owner)] },
    { name: 'inviting', users: '*', http_token_sha256: [hashOf(TOKENS.inviting)] },
  ],
};

const AXE = axe.source;

export interface OpenedPage {
  page: Page;
  /** Complaints of the browser. */
  complaints: string[];
  /** Goes to an address below /console; resolves when its heading is there. */
  go: (address: string) => Promise<void>;
  /** Serious faults that axe finds in what is shown now. */
  faults: () => Promise<string[]>;
  close: () => Promise<void>;
}

export interface OpenConsole {
  world: OpenService;
  browser: Browser;
  /** Events that have arrived on the bus. */
  events: CloudEvent[];
  logIn: (role: Role, options?: BrowserContextOptions) => Promise<OpenedPage>;
  /** Asks over HTTP as a caller with a token. */
  ask: (
    role: Role,
    ...rest: Parameters<OpenService['send']> extends [unknown, ...infer R] ? R : never
  ) => ReturnType<OpenService['send']>;
  close: () => Promise<void>;
}

/** The service with three roles, and a browser that looks at its console. */
export async function openConsole(env: Record<string, string> = {}): Promise<OpenConsole> {
  const folder = mkdtempSync(path.join(tmpdir(), 'console-'));
  const accessFile = path.join(folder, 'access.json');
  writeFileSync(accessFile, JSON.stringify(ACCESS));
  const [world, browser] = await Promise.all([
    openService({ ACCESS_FILE: accessFile, LOG_LEVEL: 'info', ...env }),
    openChromium(),
  ]);
  const events: CloudEvent[] = [];
  const { channel } = world.rpc;
  const { queue } = await channel.assertQueue('', { exclusive: true });
  await channel.bindQueue(queue, EXCHANGES.events.name, '#');
  await channel.consume(
    queue,
    (message) => {
      if (message !== null) events.push(JSON.parse(message.content.toString()) as CloudEvent);
    },
    { noAck: true },
  );
  return {
    world,
    browser,
    events,
    logIn: (role, options) => logIn(browser, world.service.httpUrl, role, options),
    ask: (role, operation, body, options) => world.send('http', operation, body, { token: TOKENS[role], ...options }),
    close: async () => {
      await browser.close();
      await world.close();
      rmSync(folder, { recursive: true });
    },
  };
}

async function logIn(
  browser: Browser,
  httpUrl: string,
  role: Role,
  options: BrowserContextOptions = {},
): Promise<OpenedPage> {
  const context = await browser.newContext({ locale: 'en-GB', timezoneId: 'Europe/Moscow', ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(40_000);
  const complaints: string[] = [];
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(error.message));
  const go = async (address: string): Promise<void> => {
    await page.goto(`${httpUrl}/console${address}`);
    await page.locator('main h1').waitFor();
    await page.locator('.waiting').first().waitFor({ state: 'hidden' });
  };
  await page.goto(`${httpUrl}/console`);
  await page.locator('#token').fill(TOKENS[role]);
  await page.locator('button[type=submit]').click();
  await page.locator('nav').waitFor();
  return { page, complaints, go, faults: () => findFaults(page), close: () => context.close() };
}

interface Violation {
  id: string;
  impact: string;
  nodes: { html: string }[];
}

async function findFaults(page: Page): Promise<string[]> {
  // Beside the page's policy, which lets no script in but its own.
  await page.evaluate(AXE);
  const violations = await page.evaluate<Violation[]>('axe.run().then(({ violations }) => violations)');
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(({ id, nodes }) => `${id}: ${nodes[0]?.html ?? ''}`);
}
