import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Locator } from 'playwright-core';
import { PARKED } from '../../contracts/topology.js';
import { eventually } from '../support/eventually.js';
import { letWait, seedAccounts } from '../support/seed-accounts.js';
import { telethonSession } from '../support/session-strings.js';
import { type OpenConsole, openConsole, type OpenedPage } from './open-console.js';
import { park } from './park.js';

// Every action, clicked by an operator; its effect is looked for in the database and on the bus.

let open: OpenConsole;
let operator: OpenedPage;
beforeAll(async () => {
  open = await openConsole();
  operator = await open.logIn('operator');
});
afterAll(() => open.close());

let nextUser = 7_000;
const seed = async (count = 1): Promise<string[]> => seedAccounts(open.world, nextUser++, count);
const one = async (): Promise<string> => (await seed())[0]!;

interface Row {
  status: string;
  disabled_reason: string | null;
  locked_by: string | null;
  flood_wait_until: Date | null;
}
const rowOf = async (id: string): Promise<Row | undefined> =>
  (await open.world.query<Row>('SELECT * FROM telegram_sessions WHERE id = $1', [id]))[0];
const reasonOf = async (id: string, type: string): Promise<string | null | undefined> => {
  const { reply } = await open.ask('operator', 'query.history', { account_id: id, type });
  return (reply as unknown as { entries: { reason: string | null }[] }).entries[0]?.reason;
};
const arrived = (id: string, type: string) =>
  eventually('the events have come', () =>
    Promise.resolve(open.events.some((event) => event.subject === id && event.type === type)),
  );

/** Opens an action's dialog, fills it, and sends it; answers what the page then says. */
async function act(name: string, fields: Record<string, string | true> = {}, within?: Locator): Promise<string> {
  const { page } = operator;
  await (within ?? page.locator('main')).getByRole('button', { name, exact: true }).first().click();
  const dialog = page.getByRole('dialog');
  for (const [label, value] of Object.entries(fields)) {
    const field = dialog.getByLabel(label, { exact: true });
    if (value === true) await field.check();
    else await field.fill(value);
  }
  await dialog.locator('button[type=submit]').click();
  const outcome = await dialog.locator('[role=status]:not(.waiting)').textContent();
  await dialog.getByRole('button', { name: 'Close', exact: true }).last().click();
  return outcome ?? '';
}

const lease = async (userId: number): Promise<{ account_id: string; lease_id: string; fence: number }> => {
  const { reply } = await open.ask('inviting', 'account.allocate', {
    user_id: userId,
    purpose: 'invite_campaign',
    service_name: 'inviting',
    include_session: false,
  });
  return (reply as unknown as { allocation: { account_id: string; lease_id: string; fence: number } }).allocation;
};

test('recover ends a wait', async () => {
  const id = await one();
  await letWait(open.world, [id], { fromMs: 3_600_000 });
  await operator.go(`/accounts/${id}`);
  expect(await act('Recover', { Reason: 'campaign is over' })).toContain('flood wait → active');
  expect((await rowOf(id))?.status).toBe('active');
  expect(await reasonOf(id, 'account.recovered')).toBe('campaign is over');
  await arrived(id, 'account.recovered');
  // The page shows it without being asked.
  await operator.page.locator('.standing .status-active').waitFor();
});

test('the end of a wait is set', async () => {
  const id = await one();
  await letWait(open.world, [id], { fromMs: 3_600_000 });
  await operator.go(`/accounts/${id}`);
  const inMoscow = '2030-01-02T15:00:00';
  await act('Set the end of the wait', { 'Ends at (your time)': inMoscow, Reason: 'rest' });
  expect((await rowOf(id))?.flood_wait_until?.toISOString()).toBe('2030-01-02T12:00:00.000Z');
});

test('drain, disable and activate change the status, each with its reason', async () => {
  const id = await one();
  await operator.go(`/accounts/${id}`);
  expect(await act('Drain', { Reason: 'for maintenance' })).toContain('active → draining');
  expect((await rowOf(id))?.status).toBe('draining');
  expect(await reasonOf(id, 'account.draining')).toBe('for maintenance');
  await operator.page.locator('.standing .status-draining').waitFor();
  await act('Disable', { Reason: 'sold' });
  expect(await rowOf(id)).toMatchObject({ status: 'disabled', disabled_reason: 'manual' });
  await arrived(id, 'account.disabled');
  await operator.page.locator('.standing .status-disabled').waitFor();
  await act('Activate', { Reason: 'bought back' });
  expect((await rowOf(id))?.status).toBe('active');
});

test('an action without a reason is not sent, and one that is refused says its code and its cure', async () => {
  const id = await one();
  await operator.go(`/accounts/${id}`);
  const { page } = operator;
  await page.getByRole('button', { name: 'Drain', exact: true }).click();
  const dialog = page.getByRole('dialog');
  await dialog.locator('button[type=submit]').click();
  expect(await dialog.locator('[role=status]').count()).toBe(0);
  expect((await rowOf(id))?.status).toBe('active');
  await open.world.query('DELETE FROM telegram_sessions WHERE id = $1', [id]);
  await dialog.getByLabel('Reason').fill('gone meanwhile');
  await dialog.locator('button[type=submit]').click();
  const failure = await dialog.getByRole('alert').textContent();
  expect(failure).toContain('ACCOUNT_NOT_FOUND');
  expect(failure).toContain('It was removed');
  await page.keyboard.press('Escape');
  await dialog.waitFor({ state: 'hidden' });
});

test('a new session brings a disabled account back, and is never shown', async () => {
  const id = await one();
  await open.world.query(
    "UPDATE telegram_sessions SET status = 'disabled', is_active = false, disabled_reason = 'needs_reauth' WHERE id = $1",
    [id],
  );
  const session = telethonSession();
  await operator.go(`/accounts/${id}`);
  expect(await act('New session', { 'Session string': session })).toContain('disabled → active');
  expect(await rowOf(id)).toMatchObject({ status: 'active', disabled_reason: null });
  await arrived(id, 'account.reauthorized');
  expect(await operator.page.content()).not.toContain(session.slice(0, 40));
});

test('an account is taken from its holder, on its own page and among the leases', async () => {
  const user = nextUser;
  const ids = await seed(2);
  const first = await lease(user);
  await lease(user);
  await operator.go(`/accounts/${first.account_id}`);
  expect(await act('Release', { Reason: 'worker hangs' })).toBe('Done: taken from inviting.');
  expect((await rowOf(first.account_id))?.locked_by).toBeNull();
  expect(await reasonOf(first.account_id, 'account.released')).toBe('worker hangs');

  await operator.go(`/leases?user_id=${user}`);
  await act('Release', { Reason: 'its brother too' });
  const rows = await Promise.all(ids.map(rowOf));
  expect(rows.map((row) => row?.locked_by)).toEqual([null, null]);
  await operator.page.getByText('Nobody holds an account.').waitFor();
});

test('recover among the recoveries', async () => {
  const user = nextUser;
  const id = await one();
  await letWait(open.world, [id], { status: 'blocked', fromMs: 7_200_000 });
  await operator.go(`/recoveries?user_id=${user}`);
  expect(await act('Recover', { Reason: 'appeal accepted' })).toContain('blocked → active');
  expect((await rowOf(id))?.status).toBe('active');
});

test('a removed account leaves its history alone', async () => {
  const id = await one();
  await operator.go(`/accounts/${id}`);
  await act('Remove', { 'I know that this cannot be undone': true, Reason: 'handed over' });
  expect(await rowOf(id)).toBeUndefined();
  await operator.page.getByText('There is no such account, or it was removed.').waitFor();
});

test('a job is run now, and its run is listed', async () => {
  await operator.go('/jobs');
  const name = 'Run now: Report of the fleet';
  expect(await act(name)).toMatch(/^done: .*published 1/);
  const rows = await open.world.query("SELECT outcome FROM job_runs WHERE job = 'report' AND outcome = 'done'");
  expect(rows.length).toBeGreaterThan(0);
  await eventually('the events have come', () =>
    Promise.resolve(open.events.some(({ type }) => type === 'report.generated')),
  );
});

test('a parked message is shown, replayed and discarded, and says what keeps it from being replayed', async () => {
  const user = nextUser;
  await seed();
  const held = await lease(user);
  const usage = { invites_sent: 0, messages_sent: 0, contacts_added: 0, success: true };
  await park(open.world, 'account.release', {
    account_id: held.account_id,
    service_name: 'inviting',
    lease_id: held.lease_id,
    fence: held.fence,
    usage_stats: usage,
  });
  await park(open.world, 'account.allocate', { user_id: user, purpose: 'general', service_name: 'inviting' });
  await park(open.world, 'account.error', { account_id: held.account_id, error_type: 'X' }, 'VALIDATION_FAILED');

  await operator.go('/parked');
  const panel = (operation: string) => operator.page.locator('.panel', { hasText: operation });
  await panel('account.release').getByRole('button', { name: 'Show' }).click();
  const body = await operator.page.getByRole('dialog').locator('pre').textContent();
  expect(body).toContain(held.lease_id);
  await operator.page.keyboard.press('Escape');
  expect(await panel('account.allocate').locator('.obstacle').textContent()).toContain('would grant something');
  expect(await panel('account.allocate').getByRole('button', { name: 'Replay' }).count()).toBe(0);

  expect(await act('Replay', { Reason: 'database is back' }, panel('account.release'))).toContain('Replayed');
  expect((await rowOf(held.account_id))?.locked_by).toBeNull();
  await arrived(held.account_id, 'account.released');
  await act('Discard', { Reason: 'too old' }, panel('account.allocate'));
  await act('Discard', { Reason: 'nonsense' }, panel('account.error'));
  await operator.page.getByText('Nothing is parked.').waitFor();
  expect((await open.world.rpc.channel.checkQueue(PARKED.name)).messageCount).toBe(0);
});

test.each([
  ['Drain', 'active', 'draining'],
  ['Disable', 'draining', 'disabled'],
  ['Activate', 'disabled', 'active'],
])('%s is done to all that match, once their count was confirmed', async (action, before, after) => {
  const user = nextUser;
  const ids = await seed(3);
  if (before !== 'active') {
    await open.world.query(
      "UPDATE telegram_sessions SET status = $2::account_status, is_active = $2 <> 'disabled', disabled_reason = CASE WHEN $2 = 'disabled' THEN 'manual' END WHERE id = ANY($1)",
      [ids, before],
    );
  }
  await operator.go(`/accounts?user_id=${user}&status=${before}`);
  await operator.page.getByText('All 3 that match:').waitFor();
  expect(await act(action, { Reason: 'all of them' })).toContain('3 of 3 changed');
  const rows = await Promise.all(ids.map(rowOf));
  expect(rows.map((row) => row?.status)).toEqual([after, after, after]);
});

test('bulk work is done to a selection, and not at all where the count has changed', async () => {
  const user = nextUser;
  const [first, second, third] = await seed(3);
  await letWait(open.world, [first!, second!], { fromMs: 3_600_000 });
  await operator.go(`/accounts?user_id=${user}`);
  const { page } = operator;
  for (const id of [first!, second!]) await page.getByLabel(`Select account ${id.slice(0, 8)}`).check();
  await page.getByText('2 selected:').waitFor();
  expect(await act('Recover', { Reason: 'both' })).toContain('2 of 2 changed');
  expect((await rowOf(second!))?.status).toBe('active');

  await operator.go(`/accounts?user_id=${user}&status=active`);
  await page.locator('.bulk').getByRole('button', { name: 'Drain' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByText('3 accounts match').waitFor();
  await open.world.query("UPDATE telegram_sessions SET status = 'draining' WHERE id = $1", [third]);
  await dialog.getByLabel('Reason').fill('too late');
  await dialog.locator('button[type=submit]').click();
  await dialog.getByText('COUNT_CHANGED').waitFor();
  expect((await rowOf(first!))?.status).toBe('active');
  // The new count may be confirmed at once.
  await dialog.locator('button[type=submit]').click();
  await dialog.getByText('2 of 2 changed').waitFor();
  expect((await rowOf(first!))?.status).toBe('draining');
  await page.keyboard.press('Escape');
});

test('everything a service holds is taken back from it', async () => {
  const user = nextUser;
  const ids = await seed(2);
  await lease(user);
  await lease(user);
  await operator.go(`/accounts?user_id=${user}&leased_by=inviting`);
  expect(await act('Release', { Reason: 'it has crashed' })).toContain('2 of 2 changed');
  const rows = await Promise.all(ids.map(rowOf));
  expect(rows.map((row) => row?.locked_by)).toEqual([null, null]);
});

test('the browser had nothing to complain of', () => {
  const expected = /status of (404|409)/; // the two refusals above
  expect(operator.complaints.filter((text) => !expected.test(text))).toEqual([]);
});
