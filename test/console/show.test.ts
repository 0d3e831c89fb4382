import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Page } from 'playwright-core';
import { type OpenConsole, openConsole } from './open-console.js';
import { SLOW_USER, type Story, tellStory } from './story.js';

// `make console-show`: draws the pictures of docs/console/, walks an operator's morning and measures how a page loads.

const FOLDER = path.resolve(import.meta.dirname, '../../docs/console');
const ACCOUNTS = 10_000;
const told: string[] = [];

let open: OpenConsole;
let story: Story;
beforeAll(async () => {
  mkdirSync(FOLDER, { recursive: true });
  open = await openConsole({ ALERT_FLOOD_WAIT_PERCENT: '0', HEALTH_SCAN_CADENCE: '0 0 1 1 *' });
  story = await tellStory(open, ACCOUNTS);
}, 300_000);
afterAll(async () => {
  process.stderr.write(`${told.join('\n')}\n`);
  await open.close();
});

test('how the first page loads', async () => {
  const { page, close } = await open.logIn('operator');
  const client = await page.context().newCDPSession(page);
  await client.send('Network.enable');
  await client.send('Network.clearBrowserCache');
  let bytes = 0;
  let requests = 0;
  client.on('Network.loadingFinished', ({ encodedDataLength }) => {
    bytes += encodedDataLength;
    requests++;
  });
  const times: number[] = [];
  for (const round of [0, 1, 2, 3, 4]) {
    if (round === 1) told.push(`first load: ${requests} requests, ${Math.round(bytes / 1000)} kB`);
    if (round > 0) [bytes, requests] = [0, 0];
    const startedAt = performance.now();
    await page.goto(`${open.world.service.httpUrl}/console`);
    await page.locator('.numbers dd').first().waitFor();
    times.push(Math.round(performance.now() - startedAt));
    await page.waitForTimeout(1_500);
  }
  told.push(`again: ${requests} requests, ${Math.round(bytes / 1000)} kB`, `first number after ${times.join(', ')} ms`);
  await close();
});

test('an operator walks through a morning', async () => {
  const { page, complaints, close } = await open.logIn('operator');
  let clicks = 0;
  let startedAt = performance.now();
  const click = async (target: ReturnType<Page['locator']>): Promise<void> => {
    clicks++;
    await target.click();
  };
  const step = (name: string): void => {
    told.push(`| ${name} | ${clicks} | ${((performance.now() - startedAt) / 1000).toFixed(1)} |`);
    clicks = 0;
    startedAt = performance.now();
  };
  const confirm = async (reason: string): Promise<void> => {
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('Reason').fill(reason);
    await click(dialog.locator('button[type=submit]'));
    await dialog.locator('[role=status]:not(.waiting)').waitFor();
    await click(dialog.getByRole('button', { name: 'Close', exact: true }).last());
  };
  told.push('| step | clicks | seconds |', '|---|---|---|');

  await page.locator('.needs').waitFor();
  await click(page.locator('.needs a').first());
  await page.locator('.runbook').first().waitFor();
  step('What happened overnight: Fleet, the first alert');

  await page.keyboard.press('g');
  await page.keyboard.press('w');
  await page.getByLabel('User').fill(String(SLOW_USER));
  await click(page.getByRole('button', { name: 'Explain' }));
  await page.locator('.verdict').first().waitFor();
  step("Why are user 101's invites slow: Why not?");

  for (const id of story.waiting) {
    await click(page.locator(`.verdict a[href$="${id}"]`));
    await click(page.getByRole('button', { name: 'Recover', exact: true }));
    await confirm('the campaign was slowed down');
    await page.locator('.standing .status-active').waitFor();
    await page.goBack();
    await page.locator('.verdict').first().waitFor();
  }
  step('Recover two accounts');

  await page.keyboard.press('g');
  await page.keyboard.press('l');
  const lease = page.locator('tr', { has: page.locator(`a[href$="${story.stuck}"]`) });
  await click(lease.getByRole('button', { name: 'Release' }));
  await confirm('its worker hangs');
  await lease.waitFor({ state: 'detached' });
  step('Release a stuck lease');

  await page.keyboard.press('g');
  await page.keyboard.press('p');
  await click(page.locator('.panel', { hasText: 'account.release' }).getByRole('button', { name: 'Replay' }));
  await confirm('the database is back');
  await page.locator('.panel', { hasText: 'account.release' }).waitFor({ state: 'detached' });
  step('Replay a parked message');

  await page.keyboard.press('g');
  await page.keyboard.press('j');
  await click(page.getByRole('button', { name: 'Run now: Report of the fleet' }));
  const dialog = page.getByRole('dialog');
  await click(dialog.locator('button[type=submit]'));
  await dialog.locator('[role=status]:not(.waiting)').waitFor();
  step('Run the report');
  expect(complaints).toEqual([]);
  await close();
});

test('pictures', async () => {
  const { page, go, close } = await open.logIn('operator', { viewport: { width: 1280, height: 800 } });
  const shoot = async (name: string): Promise<void> => {
    await page.waitForTimeout(700);
    await page.screenshot({ path: path.join(FOLDER, `${name}.png`) });
  };
  const views: [string, string][] = [
    ['fleet', ''],
    ['accounts', '/accounts'],
    ['account', `/accounts/${story.stuck}`],
    ['leases', '/leases'],
    ['recoveries', '/recoveries'],
    ['jobs', '/jobs'],
    ['parked', '/parked'],
    ['alerts', '/alerts'],
    ['policy', '/policy'],
    ['why', `/why?user_id=${SLOW_USER}&purpose=invite_campaign`],
  ];
  for (const [name, address] of views) {
    await go(address);
    await shoot(name);
  }
  await go('/events');
  await page.locator('.stream-live').waitFor();
  for (const status of ['draining', 'active']) {
    await open.ask('operator', 'admin.set-status', { account_id: story.stuck, status, reason: 'for the picture' });
  }
  await page.locator('td').first().waitFor();
  await shoot('events');
  await go('/accounts?user_id=107');
  await page.locator('.bulk').getByRole('button', { name: 'Drain' }).click();
  await page.getByRole('dialog').locator('.big').waitFor();
  await shoot('bulk');
  await close();

  const dark = await open.logIn('operator', {
    viewport: { width: 1280, height: 800 },
    colorScheme: 'dark',
    locale: 'ru-RU',
  });
  await dark.go('');
  await dark.page.waitForTimeout(1_500);
  await dark.page.screenshot({ path: path.join(FOLDER, 'fleet-dark-russian.png') });
  await dark.close();
  const phone = await open.logIn('operator', { viewport: { width: 390, height: 844 } });
  await phone.go(`/accounts/${story.stuck}`);
  await phone.page.waitForTimeout(700);
  await phone.page.screenshot({ path: path.join(FOLDER, 'phone.png') });
  await phone.close();
}, 180_000);
