import { existsSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { afterAll, expect, test } from '@jest/globals';
import { applyBlocks, readBlocks } from '../support/guide.js';
import { copyRepository, ROOT } from './copy-repository.js';

// The example of CONTRIBUTING.md, carried out on a copy of the repository.

const PAGE = readFileSync(path.join(ROOT, 'CONTRIBUTING.md'), 'utf8');
const copy = copyRepository();
afterAll(() => rmSync(copy, { recursive: true, force: true }));

const changed = applyBlocks(readBlocks(PAGE), copy);

// The page's own test of its operation: its tests are registered here.
await import(path.join(copy, 'test/operations/idle.test.ts'));

test('every block of the page changes or adds a file', () => {
  expect([...new Set(changed)]).toEqual([
    'contracts/idle.ts',
    'contracts/operations.ts',
    'contracts/examples/query.ts',
    'src/store/accounts/count-idle.ts',
    'src/operations/query/idle.ts',
    'src/requests/handlers.ts',
    'test/operations/idle.test.ts',
  ]);
});

test('the example of the new operation fits its contract, and the documents and clients tell of it', async () => {
  const { DOCUMENTS } = (await import(path.join(copy, 'scripts/contracts/documents.ts'))) as {
    DOCUMENTS: Record<string, () => string>;
  };
  const { EXAMPLES } = (await import(path.join(copy, 'contracts/examples.ts'))) as {
    EXAMPLES: Record<string, { request: object; reply: object }[]>;
  };
  const { OPERATIONS } = (await import(path.join(copy, 'contracts/operations.ts'))) as {
    OPERATIONS: Record<string, { request: { parse: (body: object) => object } }>;
  };
  const [example] = EXAMPLES['query.idle'] ?? [];
  expect(OPERATIONS['query.idle']?.request.parse(example?.request ?? {})).toMatchObject({ days: 7 });

  const openapi = JSON.parse(DOCUMENTS['contracts/openapi.json']?.() ?? '{}') as { paths: Record<string, object> };
  expect(Object.keys(openapi.paths)).toContain('/api/v1/account-manager/stats/idle');
  for (const document of ['contracts/asyncapi.json', 'packages/client/src/contract.ts'])
    expect(DOCUMENTS[document]?.()).toContain('query.idle');
  expect(DOCUMENTS['packages/python/src/account_manager/operations.py']?.()).toContain('def query_idle(');
});

test('every file and folder that the page names is there, but for those that its example adds', () => {
  const named = [...PAGE.matchAll(/`((?:src|contracts|test|docs|scripts|prisma|examples|packages)\/[\w./-]*)`/g)];
  const missing = named.map(([, name = '']) => name).filter((name) => !existsSync(path.join(copy, name)));
  expect(named.length).toBeGreaterThan(30);
  expect(missing).toEqual([]);
});
