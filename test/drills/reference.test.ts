import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Browser } from 'playwright-core';
import { OPERATION_NAMES, type OperationName, OPERATIONS } from '../../contracts/operations.js';
import { writeReference } from '../../scripts/reference.mjs';
import { openChromium } from '../console/chromium.js';

// The reference of both contracts, opened in a real browser that may reach no network.

let folder: string;
let file: string;
let browser: Browser;
beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'reference-'));
  file = path.join(folder, 'reference.html');
  writeReference(file);
  browser = await openChromium();
}, 120_000);
afterAll(async () => {
  await browser.close();
  rmSync(folder, { recursive: true, force: true });
});

/** Operations that a reader sees, after a click where they are in a group that is closed. */
interface Look {
  click?: string;
  names: readonly OperationName[];
}

/** The text of the page at every look, and all that it has asked the network for or complained of. */
async function open(
  door: string,
  looks: readonly Look[],
): Promise<{ text: string; asked: string[]; faults: string[] }> {
  const context = await browser.newContext({ offline: true, viewport: { width: 1400, height: 900 } });
  const page = await context.newPage();
  const asked: string[] = [];
  const faults: string[] = [];
  page.on('request', (request) => {
    if (!/^(file|data|blob):/.test(request.url())) asked.push(request.url());
  });
  page.on('console', (message) => {
    if (message.type() === 'error') faults.push(message.text());
  });
  page.on('pageerror', (error) => faults.push(error.message));
  await page.goto(`${pathToFileURL(file).href}?${door}`);
  let text = '';
  for (const { click, names } of looks) {
    if (click !== undefined) await page.getByText(click, { exact: true }).first().click({ timeout: 60_000 });
    const isShown = () => names.every((name) => text.includes(OPERATIONS[name].summary));
    // Nothing else says that the page is drawn.
    for (const giveUpAt = Date.now() + 30_000; !isShown() && Date.now() < giveUpAt; )
      text += await page.locator('body').innerText();
  }
  await context.close();
  return { text, asked, faults };
}

/** Over HTTP one group of operations is open at a time. */
const LOOKS: Record<'http' | 'amqp', Look[]> = {
  http: ['account', 'action', 'query', 'admin'].map((click) => ({
    click,
    names: OPERATION_NAMES.filter((name) => name.startsWith(`${click}.`)),
  })),
  amqp: [{ names: OPERATION_NAMES }],
};

const DOORS = ['http', 'amqp'] as const;

test.each(DOORS)('it shows every operation over %s, and asks nothing of the network', async (door) => {
  const { text, asked, faults } = await open(door, LOOKS[door]);
  expect(asked).toEqual([]);
  expect(faults).toEqual([]);
  expect(OPERATION_NAMES.filter((name) => !text.includes(OPERATIONS[name].summary))).toEqual([]);
}, 150_000);
