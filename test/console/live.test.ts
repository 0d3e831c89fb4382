import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { startService } from '../support/service.js';
import { seedAccounts } from '../support/seed-accounts.js';
import { type OpenConsole, openConsole, type OpenedPage } from './open-console.js';

// A page that stays open shows changes as they come, and a service that goes and comes back.

let open: OpenConsole;
let reader: OpenedPage;
beforeEach(async () => {
  open = await openConsole();
  reader = await open.logIn('reader');
});
afterEach(() => open.close());

/** It takes 2 s at most on a machine that has time for it. */
const LIVE_MS = 10_000;
const disable = (id: string) =>
  open.ask('operator', 'admin.set-status', { account_id: id, status: 'disabled', reason: 'test' });

test('a change is on the screen soon, and nothing is asked for while nobody looks', async () => {
  const [first, second, third] = await seedAccounts(open.world, 301, 3);
  const { page, go } = reader;
  await go('/accounts?user_id=301');
  await page.locator('.stream-live').waitFor();
  let startedAt = Date.now();
  await disable(first!);
  await page.locator('.grid .status-disabled').first().waitFor();
  expect(Date.now() - startedAt).toBeLessThan(LIVE_MS);

  await go('');
  await page.locator('.stream-live').waitFor();
  startedAt = Date.now();
  await disable(second!);
  await page.locator('.bars > div', { hasText: 'disabled' }).getByText('2', { exact: true }).waitFor();
  expect(Date.now() - startedAt).toBeLessThan(LIVE_MS);

  await go('/events');
  await page.locator('.stream-live').waitFor();
  startedAt = Date.now();
  await disable(third!);
  await page.locator('td', { hasText: third!.slice(0, 8) }).waitFor();
  expect(Date.now() - startedAt).toBeLessThan(LIVE_MS);

  await go('');
  await page.locator('.stream-live').waitFor();
  const asked: string[] = [];
  page.on('request', (request) => asked.push(request.url()));
  await hide(reader, true);
  await page.locator('.stream-paused').waitFor();
  asked.length = 0;
  await new Promise((resolve) => setTimeout(resolve, 3_000));
  expect(asked).toEqual([]);
  await hide(reader, false);
  await page.locator('.stream-live').waitFor();
  expect(asked.length).toBeGreaterThan(0);
});

/** As a browser does with a page of another tab. */
const hide = ({ page }: OpenedPage, isHidden: boolean): Promise<unknown> =>
  page.evaluate(
    `Object.defineProperty(document, 'hidden', { value: ${isHidden}, configurable: true });
     document.dispatchEvent(new Event('visibilitychange'))`,
  );

test('a stream that breaks is said, and a service that comes back is followed again', async () => {
  const [id] = await seedAccounts(open.world, 302, 1);
  const { page, go } = reader;
  await go('');
  await page.locator('.stream-live').waitFor();
  const { httpUrl, process: child } = open.world.service;
  const { environment } = open.world;
  child.kill('SIGTERM');
  await page.locator('.stream-gone').waitFor();
  expect(await page.locator('.stream-gone').textContent()).toMatch(/^Live events lost at \d\d:\d\d:\d\d/);
  // The last figures stay on the screen, with the fault above them.
  await page.getByText('UNREACHABLE').waitFor();
  expect(await page.locator('.numbers').count()).toBe(1);
  const again = await startService({ ...environment, HTTP_PORT: new URL(httpUrl).port });
  try {
    await page.locator('.stream-live').waitFor();
    await page.getByText('UNREACHABLE').waitFor({ state: 'hidden' });
    await disable(id!);
    await page.locator('.bars > div', { hasText: 'disabled' }).getByText('1', { exact: true }).waitFor();
  } finally {
    await again.stop();
  }
});

test('10,000 accounts are scrolled to the last without one request too many', async () => {
  await seedAccounts(open.world, 303, 10_000);
  const { page, go } = reader;
  await go('/accounts');
  await page.getByText('10,000 accounts').waitFor();
  const grid = page.getByRole('grid');
  expect(await grid.getAttribute('aria-rowcount')).toBe('10001');
  expect(await page.locator('.grid-body [role=row]').count()).toBeLessThan(80);
  const pages: string[] = [];
  page.on('request', (request) => pages.push(request.url()));
  await grid.focus();
  await page.keyboard.press('End');
  await page.locator('#row-9999 a.id').waitFor({ timeout: 30_000 });
  expect(pages.filter((url) => url.includes('cursor=')).length).toBe(19);
  expect(await page.locator('.grid-body [role=row]').count()).toBeLessThan(80);
});
