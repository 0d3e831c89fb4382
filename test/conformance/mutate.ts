import { z } from 'zod';
import { OPERATIONS, type OperationName } from '../../contracts/operations.js';
import { type JsonSchema, toSchema } from '../../scripts/contracts/schemas.js';
import type { Door } from './open-service.js';

type Body = Record<string, unknown>;

/** A request that must be refused, and the field that its refusal must name. */
export interface InvalidRequest {
  fault: string;
  field: string;
  body: Body;
}

/** Whether HTTP carries the field as text: in the path or in the query string. */
const isText = (operation: OperationName, door: Door, field: string): boolean => {
  const { method, path } = OPERATIONS[operation].http;
  return door === 'http' && (method === 'GET' || path.includes(`{${field}}`));
};

const isInPath = (operation: OperationName, field: string): boolean =>
  OPERATIONS[operation].http.path.includes(`{${field}}`);

/** By the request's schema: every required field left out, every field of a wrong type, a field nobody knows. */
export function invalidRequests(operation: OperationName, door: Door, valid: Body): InvalidRequest[] {
  const { properties = {}, required = [] } = toSchema(OPERATIONS[operation].request, 'draft-7');
  // Without it there is no such path.
  const leftOut = required.filter((field) => door === 'amqp' || !isInPath(operation, field));
  return [
    ...leftOut.map((field) => ({
      fault: `without ${field}`,
      field,
      body: Object.fromEntries(Object.entries(valid).filter(([name]) => name !== field)),
    })),
    ...Object.entries(properties).map(([field, schema]) => ({
      fault: `${field} of a wrong type`,
      field,
      body: { ...valid, [field]: isText(operation, door, field) ? ofWrongText(schema) : ofWrongType(schema) },
    })),
    { fault: 'with an unknown field', field: 'surprise', body: { ...valid, surprise: 1 } },
  ];
}

/** The valid request with null in every optional field that it leaves out. */
export function withNulls(operation: OperationName, valid: Body): Body {
  const { shape } = OPERATIONS[operation].request as z.ZodObject;
  const optional = Object.keys(shape).filter((field) => z.safeParse(shape[field], null).success);
  return { ...Object.fromEntries(optional.map((field) => [field, null])), ...valid };
}

/** Only the length of a free text can be wrong. */
function ofWrongText(schema: JsonSchema | boolean): string {
  const free = alternativesOf(schema).find((one) => one.type === 'string' && !one.pattern && !one.format && !one.enum);
  return free?.maxLength === undefined ? '§ of no type' : 'x'.repeat(free.maxLength + 1);
}

const ofWrongType = (schema: JsonSchema | boolean): unknown =>
  typesOf(schema).has('object') ? 'of no type' : { of: 'no type' };

const typesOf = (schema: JsonSchema | boolean): Set<unknown> => new Set(alternativesOf(schema).map(({ type }) => type));

const alternativesOf = (schema: JsonSchema | boolean): JsonSchema[] =>
  typeof schema === 'boolean' ? [] : [schema, ...(schema.anyOf ?? []).flatMap(alternativesOf)];
