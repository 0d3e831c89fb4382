// Registers the accounts of a CSV file with the account manager, over the bus:
//
//   RABBITMQ_URL=amqp://… npm run import -- examples/fleet.csv
//
// Columns: user_id, phone, session_data; every other column becomes metadata of the account. It may be run again: an
// account is known by its phone number, and its session is replaced. Ends with status 1 when an account was rejected.

import { readFileSync } from 'node:fs';
import { type AdminRegisterRequest, connectAccountManager } from '@account-manager/client';
import { registerRequest } from '../contracts/admin.js';
import { type CsvRecord, parseCsv } from './csv.js';

interface Row {
  line: number;
  account: AdminRegisterRequest['accounts'][number];
}

/** One request may have 256 KiB and 1000 accounts (contract, sections 2 and 4). */
const MAX_BYTES = 250_000;
const MAX_ACCOUNTS = 1000;

const [file] = process.argv.slice(2);
const { RABBITMQ_URL } = process.env;
if (file === undefined || !RABBITMQ_URL) {
  console.error('usage: RABBITMQ_URL=amqp://… npm run import -- FILE.csv');
  process.exit(2);
}

const counts = { created: 0, updated: 0, rejected: 0 };
const tell = (line: number | undefined, outcome: keyof typeof counts, detail = '') => {
  counts[outcome] += 1;
  console.log(`line ${line}: ${outcome}: ${detail}`);
};

const rows = parseCsv(readFileSync(file, 'utf8')).map(toRow).filter(isSound);
const manager = await connectAccountManager(RABBITMQ_URL, { serviceName: 'import-fleet' });
try {
  for (const chunk of toChunks(rows)) {
    const reply = await manager.call('admin.register', { accounts: chunk.map(({ account }) => account) });
    for (const { index, outcome, account_id: accountId, reason } of reply.accounts) {
      tell(chunk[index]?.line, outcome, reason ?? accountId);
    }
  }
} finally {
  await manager.close();
}
console.log(`${counts.created} created, ${counts.updated} updated, ${counts.rejected} rejected`);
process.exitCode = counts.rejected > 0 ? 1 : 0;

function toRow({ line, fields }: CsvRecord): Row {
  const { user_id: userId = '', phone = '', session_data: sessionData = '', ...others } = fields;
  const metadata = Object.fromEntries(Object.entries(others).filter(([, value]) => value !== ''));
  return {
    line,
    account: { user_id: userId === '' ? Number.NaN : Number(userId), phone, session_data: sessionData, metadata },
  };
}

/** The service refuses a request whose form is wrong as a whole, so such a row must not go along with the others. */
function isSound({ line, account }: Row): boolean {
  const [issue] = registerRequest.shape.accounts.element.safeParse(account).error?.issues ?? [];
  if (issue !== undefined) tell(line, 'rejected', `${issue.path.join('.')}: ${issue.message}`);
  return issue === undefined;
}

/** Splits the rows so that each part fits one request. */
function* toChunks(all: Row[]): Generator<Row[]> {
  let chunk: Row[] = [];
  let bytes = 0;
  for (const row of all) {
    const size = Buffer.byteLength(JSON.stringify(row.account)) + 1;
    if (chunk.length === MAX_ACCOUNTS || (chunk.length > 0 && bytes + size > MAX_BYTES)) {
      yield chunk;
      chunk = [];
      bytes = 0;
    }
    chunk.push(row);
    bytes += size;
  }
  if (chunk.length > 0) yield chunk;
}
