import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { type IncomingHttpHeaders, request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { readFileSync } from 'node:fs';
import { NODE_ARGUMENTS } from '../../scripts/service.mjs';
import { buildService } from './build-service.js';
import { freePort } from './ports.js';

export interface RunningService {
  process: ChildProcess;
  /** `http://host:port`, or `https:` where the environment names a certificate for it */
  httpUrl: string;
  /** Its log so far. */
  log: () => string;
  /** Ends it in order; answers its exit code. */
  stop: () => Promise<number | null>;
  /** Ends it at once, as a crash would. */
  kill: () => Promise<void>;
}

const ROOT = path.resolve(import.meta.dirname, '../..');
const READY_TIMEOUT_MS = 100_000;

/**
 * Starts the service in a process of its own and waits until it serves (`waits` false: not at all); the environment
 * given comes on top. `main`: another build than that of these sources.
 */
export async function startService(
  env: Record<string, string> = {},
  { waits = true, main }: { waits?: boolean; main?: string } = {},
): Promise<RunningService> {
  const port = env.HTTP_PORT ?? (await freePort());
  const child = spawn(process.execPath, [...NODE_ARGUMENTS, main ?? (await buildService())], {
    cwd: ROOT,
    env: {
      ...process.env,
      SESSION_ENCRYPTION_KEY: 'ab'.repeat(32),
      // Requests that were answered well are told on this level only.
      LOG_LEVEL: 'debug',
      HTTP_HOST: '127.0.0.1',
      HTTP_PORT: String(port),
      ...env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let written = '';
  child.stdout.on('data', (chunk: Buffer) => (written += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (written += chunk.toString()));
  const exited = once(child, 'exit') as Promise<[number | null]>;
  const httpUrl = `${env.HTTP_TLS_CERT_FILE ? 'https' : 'http'}://127.0.0.1:${port}`;
  if (waits) await waitUntilReady(child, httpUrl, env.TLS_CA_FILE, () => written);
  return {
    process: child,
    httpUrl,
    log: () => written,
    stop: async () => {
      child.kill('SIGTERM');
      const [code] = await exited;
      return code;
    },
    kill: async () => {
      child.kill('SIGKILL');
      await exited;
    },
  };
}

/** Asks over HTTP, or over HTTPS trusting the authority in the file. */
export function askHttp(
  url: string,
  { caFile, method = 'GET', body }: { caFile?: string; method?: 'GET' | 'POST'; body?: unknown } = {},
): Promise<{ status: number; headers: IncomingHttpHeaders; text: string }> {
  const isEncrypted = url.startsWith('https:');
  const ca = caFile === undefined ? undefined : readFileSync(caFile);
  return new Promise((resolve, reject) => {
    const request = (isEncrypted ? requestHttps : requestHttp)(
      url,
      { method, agent: false, ...(isEncrypted && { ca }), headers: { 'content-type': 'application/json' } },
      (response) => {
        let text = '';
        response.setEncoding('utf8');
        response.on('data', (chunk: string) => (text += chunk));
        response.once('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, text }));
      },
    );
    request.once('error', reject);
    request.end(body === undefined ? undefined : JSON.stringify(body));
  });
}

async function waitUntilReady(
  child: ChildProcess,
  httpUrl: string,
  caFile: string | undefined,
  log: () => string,
): Promise<void> {
  const giveUpAt = Date.now() + READY_TIMEOUT_MS;
  while (Date.now() < giveUpAt) {
    const ended = child.exitCode ?? child.signalCode;
    if (ended !== null) throw new Error(`the service ended with ${ended}:\n${log()}`);
    const ready = await askHttp(`${httpUrl}/health/ready`, { caFile }).then(
      ({ status }) => status === 200,
      () => false,
    );
    if (ready) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  child.kill('SIGKILL');
  throw new Error(`the service was not ready within ${READY_TIMEOUT_MS} ms:\n${log()}`);
}
