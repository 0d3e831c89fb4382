// Invites people to channels, a few with each account.

import { runService } from './run-service.js';

const INVITES_PER_LEASE = 6;
const campaigns = [
  { userId: 101, purpose: 'invite_campaign', channel: '@spring_sale' },
  { userId: 101, purpose: 'invite_campaign', channel: 'https://t.me/night_market' },
  { userId: 102, purpose: 'invite_campaign', channel: '@book_club' },
] as const;
let invited = 0;

await runService('inviting', campaigns, async (account, { channel }) => {
  for (let n = 0; n < INVITES_PER_LEASE; n++) {
    const person = `person_${++invited}`;
    if (!(await account.perform('invite', { method: 'channels.inviteToChannel', channel, user: person }))) return;
  }
});
