import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { type OpenService, openService } from '../conformance/open-service.js';
import { type Block, readBlocks } from '../support/guide.js';
import { findPython } from '../support/python.js';

// Each tutorial, as its reader goes through it: its files are written, its commands run, and their output compared.

const ROOT = path.resolve(import.meta.dirname, '../..');
const python = findPython(['aio_pika', 'pika'], ['python3-aio-pika', 'python3-pika']);
const withPython = python === null ? test.skip : test;

jest.setTimeout(120_000);

let open: OpenService;
let clone: string;
beforeAll(async () => {
  open = await openService();
  clone = openClone(open);
}, 90_000);
afterAll(async () => {
  rmSync(clone, { recursive: true, force: true });
  await open.close();
});

/**
 * A clone as `make up` leaves it: links to all that is here, and the addresses of the running service. In front of the
 * path stand a `make`, which has nothing left to do, and what `pip install` would bring from the network.
 */
function openClone({ environment, service }: OpenService): string {
  mkdirSync(path.join(ROOT, '.local'), { recursive: true });
  const folder = mkdtempSync(path.join(ROOT, '.local/clone-'));
  for (const name of readdirSync(ROOT).filter((entry) => !['.local', '.git'].includes(entry)))
    symlinkSync(path.join(ROOT, name), path.join(folder, name));
  mkdirSync(path.join(folder, '.local/servers'), { recursive: true });
  writeFileSync(
    path.join(folder, '.local/servers/env'),
    `RABBITMQ_URL='${environment.RABBITMQ_URL ?? ''}'\nACCOUNT_MANAGER_URL='${service.httpUrl}'\n`,
  );
  mkdirSync(path.join(folder, 'stand-ins'));
  writeFileSync(path.join(folder, 'stand-ins/make'), '#!/bin/sh\n', { mode: 0o755 });
  const venv = `#!/bin/sh
[ "$1 $2" = "-m venv" ] || exit 1
mkdir -p "$3/bin"
ln -s "${python ?? ''}" "$3/bin/python"
printf '#!/bin/sh\\n' > "$3/bin/pip" && chmod +x "$3/bin/pip"
`;
  writeFileSync(path.join(folder, 'stand-ins/python3'), venv, { mode: 0o755 });
  return folder;
}

/** The output of each block of commands, in the page's order, that is followed by a block of output; and that output. */
async function carryOut(blocks: readonly Block[]): Promise<{ printed: string[]; told: string[] }> {
  const mark = '-- next --';
  const script = blocks.flatMap(({ language, text, lead }) => {
    const [, file] = /`([\w-]+\.(?:py|ts))`:$/.exec(lead) ?? [];
    if (file !== undefined) writeFileSync(path.join(clone, file), text);
    return language === 'sh' ? [`echo '${mark}'`, text] : [];
  });
  const { stdout } = await promisify(execFile)('bash', ['-euc', script.join('\n')], {
    cwd: clone,
    env: {
      ...process.env,
      PATH: `${path.join(clone, 'stand-ins')}:${process.env.PATH ?? ''}`,
      PYTHONPATH: path.join(ROOT, 'packages/python/src'),
      PYTHONDONTWRITEBYTECODE: '1',
    },
  });
  const outputs = stdout.split(`${mark}\n`).slice(1);
  const commands = blocks.filter(({ language }) => language === 'sh' || language === 'text');
  const answered = commands.flatMap(({ language, text }, index) =>
    language === 'text'
      ? [{ before: commands.slice(0, index).filter((one) => one.language === 'sh').length, text }]
      : [],
  );
  return {
    printed: answered.map(({ before }) => outlineOf(outputs[before - 1] ?? '')),
    told: answered.map(({ text }) => outlineOf(text)),
  };
}

/** A text without what differs from run to run. */
const outlineOf = (text: string): string =>
  text
    .replaceAll(/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, 'id')
    .replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, 'instant')
    .replaceAll(/(\d{4}-\d\d-\d\d )?\d\d:\d\d UTC/g, 'time');

const blocksOf = (page: string): Block[] => readBlocks(readFileSync(path.join(ROOT, page), 'utf8'));

withPython('docs/tutorial-python.md does what it says', async () => {
  const { printed, told } = await carryOut(blocksOf('docs/tutorial-python.md'));
  expect(printed).toEqual(told);
  expect(told.length).toBe(3);
});

test('docs/tutorial-typescript.md does what it says', async () => {
  const { printed, told } = await carryOut(blocksOf('docs/tutorial-typescript.md'));
  expect(printed).toEqual(told);
  expect(told.length).toBe(3);
});
