import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { unreadable } from './files.js';

/** How a client knows servers, and is known by them. PEM texts; without `ca`, the public authorities that Node brings. */
interface ClientTls {
  ca?: string;
  cert?: string;
  key?: string;
}

/** Certificate and key of a server. PEM texts. */
interface ServerTls {
  cert: string;
  key: string;
}

/** The settings that speak of TLS, as they are given. */
type Given = { DATABASE_URL: string } & Partial<
  Record<
    'TLS_CA_FILE' | 'TLS_CLIENT_CERT_FILE' | 'TLS_CLIENT_KEY_FILE' | 'HTTP_TLS_CERT_FILE' | 'HTTP_TLS_KEY_FILE',
    string
  >
>;

/** TLS settings of the service. */
export interface Tls {
  /** With all that the driver needs for TLS. */
  databaseUrl: string;
  /** Options of connections to Redis and RabbitMQ whose URLs say TLS. */
  clientTls: ClientTls;
  /** Absent: HTTP is not encrypted. */
  httpTls?: ServerTls;
  /** Settings that are allowed and yet worth a loud word at the start. */
  warnings: readonly string[];
}

/** Reads and judges every file that a setting names. `usualMode`: libpq's `PGSSLMODE`. */
export const readTls = (given: Given, usualMode: string | undefined, onProblem: OnProblem): Tls => {
  const files = { ca: given.TLS_CA_FILE, cert: given.TLS_CLIENT_CERT_FILE, key: given.TLS_CLIENT_KEY_FILE };
  const { url, isUnverified } = completeDatabaseUrl(given.DATABASE_URL, { files, usualMode, onProblem });
  return {
    databaseUrl: url,
    clientTls: {
      ca: readAuthorities(['TLS_CA_FILE', files.ca], onProblem),
      ...readPair(['TLS_CLIENT_CERT_FILE', files.cert], ['TLS_CLIENT_KEY_FILE', files.key], onProblem),
    },
    httpTls: readPair(
      ['HTTP_TLS_CERT_FILE', given.HTTP_TLS_CERT_FILE],
      ['HTTP_TLS_KEY_FILE', given.HTTP_TLS_KEY_FILE],
      onProblem,
    ),
    warnings: isUnverified
      ? ["the database's certificate is not verified: sslmode=require, and neither TLS_CA_FILE nor sslrootcert"]
      : [],
  };
};

type OnProblem = (variable: string, rule: string) => void;
/** A setting or URL parameter that names a file, and the path it gives. */
type Named = [variable: string, path: string | undefined];

/** The certificates of the authorities in the file; undefined where none is named, or it is no good. */
const readAuthorities = ([variable, path]: Named, onProblem: OnProblem): string | undefined =>
  read([variable, path], onProblem, (pem) => {
    const certificates = pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
    if (certificates.length === 0) return 'its file holds no certificate in PEM form';
    return certificates.every(isCertificate) ? null : 'its file holds a certificate that cannot be read';
  });

/** A certificate and the key that belongs to it; undefined where neither is named, or they are no good. */
const readPair = (certificate: Named, key: Named, onProblem: OnProblem): ServerTls | undefined => {
  if ((certificate[1] === undefined) !== (key[1] === undefined)) {
    onProblem(certificate[0], `must be set together with ${key[0]}, or neither`);
    return undefined;
  }
  const cert = read(certificate, onProblem, (pem) =>
    isCertificate(pem) ? null : 'its file holds no certificate in PEM form',
  );
  const privateKey = read(key, onProblem, (pem) =>
    toKey(pem) === null ? 'its file holds no private key in PEM form, or one that a passphrase locks' : null,
  );
  if (cert === undefined || privateKey === undefined) return undefined;
  const parsed = toKey(privateKey);
  if (parsed !== null && new X509Certificate(cert).checkPrivateKey(parsed)) return { cert, key: privateKey };
  onProblem(key[0], `its key does not belong to the certificate in ${certificate[0]}`);
  return undefined;
};

const read = (
  [variable, path]: Named,
  onProblem: OnProblem,
  judge: (pem: string) => string | null,
): string | undefined => {
  if (path === undefined) return undefined;
  let pem: string;
  try {
    pem = readFileSync(path, 'utf8');
  } catch (error) {
    onProblem(variable, unreadable(path, error));
    return undefined;
  }
  const rule = judge(pem);
  if (rule === null) return pem;
  onProblem(variable, rule);
  return undefined;
};

/** The first of several: a certificate comes before those that vouch for it. */
const isCertificate = (pem: string): boolean => {
  try {
    new X509Certificate(pem);
    return true;
  } catch {
    return false;
  }
};

const toKey = (pem: string): KeyObject | null => {
  try {
    return createPrivateKey(pem);
  } catch {
    return null;
  }
};

/** https://www.postgresql.org/docs/current/libpq-ssl.html#LIBPQ-SSL-PROTECTION, but for those that may go unencrypted. */
const SSL_MODES = ['disable', 'require', 'verify-ca', 'verify-full'];

/**
 * The database's URL with everything the driver needs to do as libpq does: `sslmode` from `PGSSLMODE` where the URL has
 * none, the paths of the files where it names none, and libpq's meaning of the modes. `isUnverified`: the server's
 * certificate will be taken unseen.
 */
const completeDatabaseUrl = (
  given: string,
  { files, usualMode, onProblem }: { files: ClientTls; usualMode: string | undefined; onProblem: OnProblem },
): { url: string; isUnverified: boolean } => {
  const url = new URL(given);
  const { searchParams } = url;
  const mode = searchParams.get('sslmode') ?? usualMode;
  const problem = (rule: string) => onProblem('DATABASE_URL', rule);
  if (searchParams.has('ssl')) problem('must say sslmode, not ssl');
  if (mode !== undefined && !SSL_MODES.includes(mode)) {
    problem(
      `its sslmode, or PGSSLMODE, must be one of ${SSL_MODES.join(', ')}: nothing else is safe from going unencrypted or unverified`,
    );
  }
  if (mode === undefined || mode === 'disable') return { url: given, isUnverified: false };

  const own = (name: string) => searchParams.get(name) ?? undefined;
  const parameter = (name: string, rule: string) => problem(`in it, ${name}: ${rule}`);
  readAuthorities(['sslrootcert', own('sslrootcert')], parameter);
  readPair(['sslcert', own('sslcert')], ['sslkey', own('sslkey')], parameter);
  const sslrootcert = own('sslrootcert') ?? files.ca;
  if (mode === 'verify-ca' && sslrootcert === undefined) {
    problem('its sslmode=verify-ca needs an authority: TLS_CA_FILE, or sslrootcert in it');
  }
  const usual = { sslmode: mode, uselibpqcompat: 'true', sslrootcert, sslcert: files.cert, sslkey: files.key };
  for (const [name, value] of Object.entries(usual)) {
    if (value !== undefined && !searchParams.has(name)) searchParams.set(name, value);
  }
  return { url: url.href, isUnverified: mode === 'require' && sslrootcert === undefined };
};
