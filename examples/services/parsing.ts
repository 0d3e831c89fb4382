// Reads the members of channels, page by page.

import { runService } from './run-service.js';

const PAGES_PER_LEASE = 6;
const campaigns = [
  { userId: 103, purpose: 'parsing', channel: '@city_news' },
  { userId: 101, purpose: 'parsing', channel: '@jobs_board' },
] as const;

await runService('parsing', campaigns, async (account, { channel }) => {
  // The limit is one join per channel, ever: where it refuses, the account is a member already.
  await account.perform('join_channel', { method: 'channels.joinChannel', channel });
  for (let page = 0; page < PAGES_PER_LEASE; page++) {
    if (!(await account.perform('parse', { method: 'channels.getParticipants', channel }))) return;
  }
});
