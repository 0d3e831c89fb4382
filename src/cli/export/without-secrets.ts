/** Names under which metadata hold what nobody else should know. */
const SECRET = /pass|pwd|secret|token|hash|key|2fa|twofa/i;
/** User and password in the address of a proxy. */
const CREDENTIALS = /(?<=\w:\/\/)[^\s/@]*@/g;

/** Metadata without passwords, at any depth. */
export function withoutSecrets(value: unknown): unknown {
  if (typeof value === 'string') return value.replaceAll(CREDENTIALS, '');
  if (Array.isArray(value)) return value.map(withoutSecrets);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).flatMap(([name, inner]) => (SECRET.test(name) ? [] : [[name, withoutSecrets(inner)]])),
  );
}
