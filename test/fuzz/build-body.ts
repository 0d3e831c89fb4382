import { type Bindings, bind } from '../conformance/bring-about.js';
import { exampleOf, type Mutation, type Plan, type Spoil } from './plan.js';

/** Where a value stands. */
interface Place {
  holder: Record<string, unknown>;
  key: string;
}

/** The bytes of the plan's body, and its fields, where it still has some; values of examples are bound. */
export function buildBody(plan: Plan, bindings: Bindings): { bytes: Buffer; fields: Record<string, unknown> } {
  const root = { body: bind(structuredClone(exampleOf(plan)), bindings) };
  for (const mutation of plan.mutations) mutate(root, mutation);
  const fields = isObject(root.body) ? root.body : {};
  keepShort(fields);
  if (plan.body !== null) return { bytes: Buffer.from(plan.body), fields };
  const bytes = Buffer.from(JSON.stringify(root.body ?? null));
  return { bytes: plan.spoil === null ? bytes : spoilBytes(bytes, plan.spoil), fields };
}

/**
 * Replaces valid values that would harm the run: a wait of a minute, and actions that take parked messages away or run
 * them again, so that nobody could count them.
 */
function keepShort(fields: Record<string, unknown>): void {
  const { wait_ms: waitMs, action } = fields;
  if (typeof waitMs === 'number' && waitMs > 300 && waitMs <= 60_000) fields.wait_ms = waitMs % 300;
  if (action === 'replay' || action === 'discard') fields.action = 'list';
}

function mutate(root: { body: unknown }, mutation: Mutation): void {
  const places = placesIn(root);
  const place = places[mutation.at % places.length];
  if (place === undefined) return;
  const { holder, key } = place;
  switch (mutation.kind) {
    case 'drop':
      Reflect.deleteProperty(holder, key);
      break;
    case 'duplicate':
      define(holder, `${key}_`, holder[key]);
      break;
    case 'wrap':
      holder[key] = [holder[key]];
      break;
    case 'rename':
      define(holder, mutation.key, holder[key]);
      Reflect.deleteProperty(holder, key);
      break;
    case 'replace':
      holder[key] = structuredClone(mutation.value);
      break;
    case 'add':
      define(isObject(holder[key]) ? holder[key] : holder, mutation.key, structuredClone(mutation.value));
      break;
    case 'nest':
      for (let level = 0; level < mutation.depth; level++) holder[key] = { in: holder[key] };
      break;
    default:
      mutation satisfies never;
  }
}

/** The path of every value, the body itself first, none deeper than requests are. */
function placesIn(root: object, depth = 0): Place[] {
  const holder = root as Record<string, unknown>;
  return Object.keys(holder).flatMap((key) => {
    const inner = holder[key];
    const below = typeof inner === 'object' && inner !== null && depth < 6 ? placesIn(inner, depth + 1) : [];
    return [{ holder, key }, ...below];
  });
}

/** As JSON.parse does: a key `__proto__` is a key. */
const define = (holder: object, key: string, value: unknown): void =>
  void Object.defineProperty(holder, key, { value, enumerable: true, configurable: true, writable: true });

function spoilBytes(bytes: Buffer, spoil: Spoil): Buffer {
  switch (spoil.kind) {
    case 'truncate':
      return bytes.subarray(0, Math.floor(bytes.length * spoil.share));
    case 'flip': {
      const flipped = Buffer.from(bytes);
      for (const { share, bit } of spoil.bits) {
        const at = Math.min(Math.floor(flipped.length * share), flipped.length - 1);
        flipped[at] = (flipped[at] ?? 0) ^ (1 << bit);
      }
      return flipped;
    }
    case 'insert': {
      const at = Math.floor(bytes.length * spoil.share);
      return Buffer.concat([bytes.subarray(0, at), spoil.bytes, bytes.subarray(at)]);
    }
    case 'utf16':
      return Buffer.from(bytes.toString('utf8'), 'utf16le');
    case 'bom':
      return Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), bytes]);
    case 'twice':
      return Buffer.concat([bytes, bytes]);
    default:
      return spoil satisfies never;
  }
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
