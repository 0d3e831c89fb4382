import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { expect, test } from '@jest/globals';

const SERVICE = `process.on('SIGTERM', () => process.exit(0)); setInterval(() => {}, 1000); console.log('serving');`;

test('whoever ends npm start ends the service, and learns its exit code', async () => {
  const manifest = JSON.parse(readFileSync('package.json', 'utf8')) as { scripts: { start: string } };
  const folder = mkdtempSync(path.join(tmpdir(), 'start-'));
  mkdirSync(path.join(folder, 'dist/src'), { recursive: true });
  writeFileSync(path.join(folder, 'dist/src/main.js'), SERVICE);
  writeFileSync(path.join(folder, 'package.json'), JSON.stringify({ scripts: { start: manifest.scripts.start } }));
  const npm = spawn('npm', ['start'], { cwd: folder, detached: true });
  try {
    const exited = once(npm, 'exit');
    await new Promise<void>((resolve) => {
      npm.stdout.on('data', (chunk: Buffer) => chunk.includes('serving\n') && resolve());
    });
    npm.kill('SIGTERM');
    expect(await exited).toEqual([0, null]);
  } finally {
    if (npm.exitCode === null && npm.pid !== undefined) process.kill(-npm.pid, 'SIGKILL');
    rmSync(folder, { recursive: true });
  }
});
