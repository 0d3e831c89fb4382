// Writes to people, a few messages with each account.

import { runService } from './run-service.js';

const MESSAGES_PER_LEASE = 5;
const campaigns = [
  { userId: 102, purpose: 'message_campaign' },
  { userId: 102, purpose: 'message_campaign' },
  { userId: 103, purpose: 'message_campaign' },
] as const;
let written = 0;

await runService('messaging', campaigns, async (account) => {
  for (let n = 0; n < MESSAGES_PER_LEASE; n++) {
    const person = `customer_${++written}`;
    if (!(await account.perform('message', { method: 'messages.sendMessage', user: person }))) return;
  }
});
