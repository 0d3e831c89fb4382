import { z } from 'zod';

/** A query string as the server splits it: repeated names give an array. */
export type Query = Record<string, string | string[] | undefined>;

type JsonSchema = z.core.JSONSchema.JSONSchema;

/** Turns the texts of a query string into what the fields of a request take. */
export type ReadQuery = (query: Query) => Record<string, unknown>;

/**
 * Reads query strings by the schema of a request. Only what can mean nothing else is converted: `7` for a number,
 * `true` and `false` for a boolean (Python writes `True`), an empty value for an optional field (many clients write
 * `null` so), one name, several separated by commas or a JSON array for a list. The rest is left as it came, for the schema to refuse in its own words: unknown and repeated names, texts
 * where numbers belong.
 */
export const createQueryReader = (schema: z.ZodObject): ReadQuery => {
  const { properties = {} } = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' });
  const typesByField = new Map(Object.entries(properties).map(([name, field]) => [name, typesOf(field)]));
  return (query) =>
    Object.fromEntries(
      Object.entries(query).map(([name, given]) => {
        const types = typesByField.get(name);
        return [name, typeof given === 'string' && types !== undefined ? convert(given, types) : given];
      }),
    );
};

const convert = (given: string, types: ReadonlySet<string>): unknown => {
  if (given === '' && types.has('null')) return null;
  if (types.has('array')) return toList(given);
  if (types.has('string')) return given;
  if ((types.has('integer') || types.has('number')) && /^-?\d+(\.\d+)?$/.test(given)) return Number(given);
  if (types.has('boolean') && /^(true|false)$/i.test(given)) return given.toLowerCase() === 'true';
  return given;
};

const toList = (given: string): unknown => {
  if (!given.startsWith('[')) return given.split(',');
  try {
    return JSON.parse(given);
  } catch {
    return given;
  }
};

/** Every JSON type the field may have. */
const typesOf = (schema: JsonSchema | boolean): Set<string> => {
  if (typeof schema === 'boolean') return new Set();
  const types = [schema.type ?? []].flat();
  const alternatives = [...(schema.anyOf ?? []), ...(schema.oneOf ?? []), ...(schema.allOf ?? [])];
  return new Set([...types, ...alternatives.flatMap((alternative) => [...typesOf(alternative)])]);
};
