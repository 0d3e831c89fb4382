import { get as getHttp, type IncomingMessage } from 'node:http';
import { get as getHttps } from 'node:https';
import type { FoundTopology } from '../decide/messages/compare-topology.js';
import { firstUrl, splitUrls } from '../decide/messages/split-urls.js';

/** The broker's management API, which sees what AMQP does not show: bindings and policies. */
export interface Management {
  readTopology: () => Promise<FoundTopology>;
  /** The answer to a GET below `/api` of the URL that is asked, such as `nodes`; null: its user may not look at that. */
  look: (what: string) => Promise<unknown>;
  /** The virtual host, percent-encoded, as paths for queues and permissions take it. */
  vhost: string;
}

/** The management API knows the user or the password not, or the user may not use it. */
export class ManagementRefused extends Error {}

export interface ManagementOptions {
  /** `http(s)://user:password@host:port`; of a cluster several, separated by commas. */
  url: string;
  /** The service's own URL. Its path names the virtual host; several URLs share one path. */
  rabbitmqUrl: string;
  tls?: { ca?: string; cert?: string; key?: string };
}

const TIMEOUT_MS = 5_000;
const UNAUTHORIZED = 401;
/** More than any real topology; a broken proxy must not fill the memory. */
const MAX_BYTES = 32 * 1024 * 1024;

export function createManagement({ url, rabbitmqUrl, tls }: ManagementOptions): Management {
  const vhost = encodeURIComponent(decodeURIComponent(firstUrl(rabbitmqUrl).pathname.slice(1)) || '/');
  const urls = splitUrls(url);
  /** Index of the URL that is asked: the next one, once it has failed. */
  let current = 0;
  const list = async <T>(what: string): Promise<T> =>
    (await getJson(new URL(`/api/${what}/${vhost}`, urls[current]), tls)) as T;
  const read = async (): Promise<FoundTopology> => {
    const [exchanges, queues, bindings, policies, operatorPolicies] = await Promise.all([
      list<FoundTopology['exchanges']>('exchanges'),
      list<FoundTopology['queues']>('queues'),
      list<FoundTopology['bindings']>('bindings'),
      list<FoundTopology['policies']>('policies'),
      list<FoundTopology['operatorPolicies']>('operator-policies'),
    ]);
    return { exchanges, queues, bindings, policies, operatorPolicies };
  };
  return {
    readTopology: async () => {
      try {
        return await read();
      } catch (error) {
        current = (current + 1) % urls.length;
        throw error;
      }
    },
    look: async (what) => {
      try {
        return await getJson(new URL(`/api/${what}`, urls[current]), tls);
      } catch (error) {
        if (error instanceof ManagementRefused) return null;
        throw error;
      }
    },
    vhost,
  };
}

/** Rejects on any answer but 200, without the URL, which holds credentials. */
function getJson(
  { protocol, username, password, hostname, port, pathname }: URL,
  tls: ManagementOptions['tls'],
): Promise<unknown> {
  const auth = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  const options = {
    hostname,
    port,
    path: pathname,
    auth,
    timeout: TIMEOUT_MS,
    signal: AbortSignal.timeout(2 * TIMEOUT_MS),
  };
  return new Promise((resolve, reject) => {
    const onResponse = (response: IncomingMessage): void => {
      if (response.statusCode !== 200) {
        response.resume();
        const message = `the management API answered ${response.statusCode ?? ''} to GET ${pathname}`;
        reject(response.statusCode === UNAUTHORIZED ? new ManagementRefused(message) : new Error(message));
        return;
      }
      const chunks: Buffer[] = [];
      let bytes = 0;
      response.on('data', (chunk: Buffer) => {
        chunks.push(chunk);
        bytes += chunk.length;
        if (bytes > MAX_BYTES) response.destroy(new Error('the management API answered with too much'));
      });
      response.on('error', reject);
      response.on('end', () => {
        try {
          resolve(JSON.parse(Buffer.concat(chunks).toString('utf8')));
        } catch (cause) {
          reject(new Error(`the management API answered no JSON to GET ${pathname}`, { cause }));
        }
      });
    };
    const request = protocol === 'https:' ? getHttps({ ...options, ...tls }, onResponse) : getHttp(options, onResponse);
    request.on('timeout', () => request.destroy(new Error('the management API is silent')));
    request.on('error', reject);
  });
}
