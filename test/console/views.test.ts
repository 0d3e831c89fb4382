import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { letWait, seedAccounts } from '../support/seed-accounts.js';
import { OWNED_USER, type OpenConsole, openConsole, type Role } from './open-console.js';

// Every view, as three roles see it: in both schemes, on a phone, and judged by axe.

const STRANGE_USER = 202;
let open: OpenConsole;
let account: string;
beforeAll(async () => {
  open = await openConsole({ ALERT_FLOOD_WAIT_PERCENT: '1' });
  const owned = await seedAccounts(open.world, OWNED_USER, 6);
  account = owned[0]!;
  await seedAccounts(open.world, STRANGE_USER, 4);
  await letWait(open.world, owned.slice(0, 2), { fromMs: 600_000, toMs: 7_200_000 });
  await letWait(open.world, owned.slice(2, 3), { status: 'blocked', fromMs: 7_200_000 });
  await open.ask('inviting', 'account.allocate', {
    user_id: OWNED_USER,
    purpose: 'invite_campaign',
    service_name: 'inviting',
    target_channel_id: '@shop',
    include_session: false,
  });
  await open.ask('operator', 'admin.run-job', { job: 'health-scan' });
});
afterAll(() => open.close());

const views = (): [name: string, address: string, shows: string][] => [
  ['Fleet', '', 'Accounts by status'],
  ['Accounts', '/accounts', '10 accounts'],
  ['Account', `/accounts/${account}`, 'Timeline'],
  ['Leases', '/leases', 'inviting'],
  ['Recoveries', '/recoveries', 'flood wait'],
  ['Jobs', '/jobs', 'Daily reset'],
  ['Parked messages', '/parked', 'Nothing is parked.'],
  ['Alerts', '/alerts', 'Many accounts in flood waits'],
  ['Events', '/events', 'No events yet.'],
  ['Policy', '/policy', 'Joining channels'],
  ['Why not?', `/why?user_id=${OWNED_USER}&purpose=invite_campaign`, 'In a flood wait'],
];

test.each([
  { colorScheme: 'light', viewport: { width: 1280, height: 800 } },
  { colorScheme: 'dark', viewport: { width: 390, height: 844 } },
  { colorScheme: 'light', viewport: { width: 390, height: 844 } },
] as const)('every view at $viewport.width pixels, $colorScheme, is whole and without a serious fault', async (options) => {
  const { page, go, faults, complaints, close } = await open.logIn('operator', options);
  for (const [name, address, shows] of views()) {
    await go(address);
    await page.locator('main').getByText(shows).first().waitFor();
    expect({ name, faults: await faults() }).toEqual({ name, faults: [] });
    const isCutOff = await page.evaluate('document.documentElement.scrollWidth > innerWidth');
    expect({ name, isCutOff }).toEqual({ name, isCutOff: false });
  }
  expect(complaints).toEqual([]);
  await close();
});

const buttonsOf = async (role: Role): Promise<string[]> => {
  const { page, go, complaints, close } = await open.logIn(role);
  const found = new Set<string>();
  const links = await page.locator('nav a').allTextContents();
  for (const [name, address] of views()) {
    if (!links.some((link) => link.startsWith(name)) && name !== 'Account') continue;
    await go(address);
    for (const text of await page.locator('main button').allTextContents()) found.add(text);
  }
  expect(complaints).toEqual([]);
  await close();
  return [...found];
};
const ACTS = [
  'Recover',
  'Drain',
  'Disable',
  'Activate',
  'Release',
  'New session',
  'Remove',
  'Run now',
  'Replay',
  'Discard',
];

test('a token that may only read shows a page without buttons that change anything', async () => {
  expect((await buttonsOf('reader')).filter((text) => ACTS.includes(text))).toEqual([]);
  expect(await buttonsOf('operator')).toEqual(expect.arrayContaining(['Recover', 'Release', 'Run now', 'Remove']));
});

test("a caller with listed users sees these users' accounts alone", async () => {
  const { page, go, close } = await open.logIn('owner');
  await go('/accounts');
  await page.getByText('6 accounts').waitFor();
  await go('/leases');
  await page
    .locator('td', { hasText: String(OWNED_USER) })
    .first()
    .waitFor();
  await go(`/accounts?user_id=${STRANGE_USER}`);
  await page.getByText('FORBIDDEN').waitFor();
  await page.getByText('The rights of your token do not reach so far').waitFor();
  await close();
});

test('a wrong token is refused with what to do, and a log-out leaves nothing behind', async () => {
  const { page, close } = await open.logIn('reader');
  await page.getByRole('button', { name: 'Log out' }).click();
  await page.locator('#token').fill('nobody');
  await page.locator('button[type=submit]').click();
  await page.getByText('Log in with a token of the access file').waitFor();
  expect(await page.context().cookies()).toEqual([]);
  await close();
});

test('every view is reached by keys, and so are search, a list of accounts and its rows', async () => {
  const { page, close } = await open.logIn('operator');
  for (const [key, heading] of [
    ['l', 'Leases'],
    ['r', 'Recoveries'],
    ['j', 'Jobs'],
    ['p', 'Parked messages'],
    ['t', 'Alerts'],
    ['e', 'Events'],
    ['o', 'Policy'],
    ['w', 'Why not?'],
    ['f', 'Fleet'],
  ] as const) {
    await page.locator('body').press('g');
    await page.locator('body').press(key);
    await page.getByRole('heading', { level: 1, name: heading }).waitFor();
  }
  await page.locator('body').press('?');
  await page.getByRole('dialog').getByText('Select the account').waitFor();
  await page.keyboard.press('Escape');
  await page.locator('body').press('/');
  await page.keyboard.type(account.slice(0, 8));
  await page.keyboard.press('Enter');
  await page.getByText('1 account', { exact: true }).waitFor();
  await page.getByRole('grid').focus();
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('x');
  await page.getByText('1 selected:').waitFor();
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { level: 1, name: `Account ${account.slice(0, 8)}` }).waitFor();
  await close();
});

test('the page speaks Russian to those whose browser does, and to those who choose it', async () => {
  const { page, go, complaints, close } = await open.logIn('operator', { locale: 'ru-RU' });
  await page.getByRole('heading', { level: 1, name: 'Парк' }).waitFor();
  for (const [, address] of views()) {
    await go(address);
    // Names of the contract and of accounts aside, no English word begins a line.
    const headings = await page.locator('h1, h2, th, label').allTextContents();
    expect(headings.filter((text) => /^[A-Z][a-z]/.test(text) && !text.startsWith('Account Manager'))).toEqual([]);
  }
  await page.getByRole('button', { name: 'English' }).click();
  await page.getByRole('heading', { level: 1, name: 'Why not?' }).waitFor();
  expect(complaints).toEqual([]);
  await close();
});

test('a phone number is masked until it is asked for, and the log tells who has asked', async () => {
  const { page, go, close } = await open.logIn('reader');
  await go(`/accounts/${account}`);
  const phone = page.locator('.standing .phone');
  expect(await phone.textContent()).toMatch(/^•+.{1,4}show$/);
  expect(await page.content()).not.toContain('+seed');
  await phone.getByRole('button').click();
  await page.locator('.standing .phone', { hasText: '+seed' }).waitFor();
  expect(open.world.service.log()).toMatch(new RegExp(`phone numbers shown.*"caller":"reader".*${account}`));
  await close();
});
