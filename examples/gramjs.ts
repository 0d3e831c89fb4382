// Sends one message with GramJS through an account of the account manager's:
//
//   RABBITMQ_URL=amqp://… TELEGRAM_API_ID=… TELEGRAM_API_HASH=… npx tsx examples/gramjs.ts USER_ID @somebody 'Hello'
//
// The account's proxy is `metadata.proxy`, as it was registered: `socks5://user:password@host:port`.

import { connectAccountManager, type HeldAccount } from '@account-manager/client';
import { TelegramClient } from 'telegram';
import { StringSession } from 'telegram/sessions/index.js';

const [userId, recipient, message] = process.argv.slice(2);
const { RABBITMQ_URL, TELEGRAM_API_ID, TELEGRAM_API_HASH = '' } = process.env;
if (!RABBITMQ_URL || !TELEGRAM_API_ID || !recipient || !message) {
  console.error(
    "usage: RABBITMQ_URL=amqp://… TELEGRAM_API_ID=… TELEGRAM_API_HASH=… gramjs.ts USER_ID @somebody 'Hello'",
  );
  process.exit(2);
}

const manager = await connectAccountManager(RABBITMQ_URL, { serviceName: 'gramjs-example' });
try {
  await manager.withAccount({ user_id: Number(userId), purpose: 'message_campaign' }, async (account) => {
    // A session that Telegram refuses throws here: the error is reported, and the account is not handed out again.
    const telegram = await connectTelegram(account);
    try {
      // GramJS's own error goes to the account manager, and comes back as what it means.
      const result = await account.act('message', null, () => telegram.sendMessage(recipient, { message }));
      if (result.outcome === 'done') console.log(`sent as ${result.value.id}`);
      else if (result.outcome === 'refused') console.log(`not now: ${result.reason}, until ${result.next_allowed_at}`);
      else console.log(`${result.classified_as}: the account is ${result.new_status}; retry: ${result.should_retry}`);
    } finally {
      await telegram.destroy();
    }
  });
} finally {
  await manager.close();
}

async function connectTelegram({ session_data, metadata }: HeldAccount): Promise<TelegramClient> {
  const telegram = new TelegramClient(
    new StringSession(session_data ?? ''),
    Number(TELEGRAM_API_ID),
    TELEGRAM_API_HASH,
    { proxy: toProxy(metadata.proxy), floodSleepThreshold: 0 }, // waits are the account manager's business
  );
  await telegram.connect();
  return telegram;
}

/** A proxy's URL in GramJS's terms; without one the account connects directly. */
function toProxy(url: unknown) {
  if (typeof url !== 'string') return undefined;
  const { protocol, hostname, port, username, password } = new URL(url);
  if (!/^socks[45]:$/.test(protocol)) throw new Error(`GramJS takes SOCKS proxies, not ${protocol}`);
  return {
    ip: hostname,
    port: Number(port),
    socksType: protocol === 'socks4:' ? (4 as const) : (5 as const),
    username: decodeURIComponent(username),
    password: decodeURIComponent(password),
  };
}
