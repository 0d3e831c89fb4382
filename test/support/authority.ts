import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

/** Paths of PEM files. */
export interface Pair {
  cert: string;
  key: string;
}

export interface Authority {
  /** Path of its own certificate. */
  ca: string;
  /** Makes a key and certifies it; `altName` as OpenSSL writes it, such as `IP:127.0.0.1`. */
  issue: (name: string, options?: { altName?: string; days?: number }) => Pair;
  remove: () => void;
}

/** An authority of the test's own. */
export function createAuthority(name: string): Authority {
  const folder = mkdtempSync(path.join(tmpdir(), 'authority-'));
  const file = (base: string) => path.join(folder, base);
  const openssl = (...words: string[]) => execFileSync('openssl', words, { cwd: folder, stdio: 'pipe' });
  const newKey = (key: string) => [
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:prime256v1',
    '-nodes',
    '-keyout',
    key,
  ];

  openssl('req', '-x509', ...newKey('ca.key'), '-out', 'ca.pem', '-days', '2', '-subj', `/CN=${name}`);
  return {
    ca: file('ca.pem'),
    issue: (subject, { altName = 'IP:127.0.0.1', days = 1 } = {}) => {
      const [key, cert] = [`${subject}.key`, `${subject}.pem`];
      openssl('req', ...newKey(key), '-out', 'request', '-subj', `/CN=${subject}`);
      writeFileSync(file('extensions'), `subjectAltName=${altName}\n`);
      const signed = ['-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial', '-extfile', 'extensions'];
      openssl('x509', '-req', '-in', 'request', ...signed, '-days', String(days), '-out', cert);
      return { cert: file(cert), key: file(key) };
    },
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}
