import type { z } from 'zod';
import { limitReason } from '../../contracts/actions.js';
import { cloudEvent, eventType } from '../../contracts/events.js';
import { FAILURE_CODES } from '../../contracts/failures.js';
import { accountStatus, actionType, disabledReason, errorClass, purpose } from '../../contracts/fields.js';
import { OPERATION_NAMES, type OperationName, OPERATIONS } from '../../contracts/operations.js';
import { type JsonSchema, toSchema } from './schemas.js';

/** Enumerations that have a name of their own in the types. */
const NAMED = {
  ActionType: actionType,
  Purpose: purpose,
  AccountStatus: accountStatus,
  DisabledReason: disabledReason,
  ErrorClass: errorClass,
  LimitReason: limitReason,
  EventType: eventType,
};
/** Their names by what they allow. */
const namesByValues = new Map(Object.entries(NAMED).map(([name, { options }]) => [unionOf(options), name]));

/** The contract as TypeScript types that need no package: what `@account-manager/client` is published with. */
export function buildClientTypes(): string {
  return `// Written by \`npm run contracts\` from contracts/; not to be changed by hand.

/** Every code that a refusal can carry. */
export type FailureCode = ${unionOf(FAILURE_CODES)};
${Object.entries(NAMED)
  .map(([name, { options }]) => `export type ${name} = ${unionOf(options)};\n`)
  .join('')}
/** An event: CloudEvents 1.0 in structured JSON. */
${declare('AccountManagerEvent', cloudEvent)}
${OPERATION_NAMES.map(buildOperation).join('')}
/** Every operation by its name: what is asked, and what is answered. */
export interface Operations {
${OPERATION_NAMES.map((name) => `${buildComment(OPERATIONS[name].summary, '  ')}  '${name}': { request: ${nameOf(name)}Request; reply: ${nameOf(name)}Reply };\n`).join('')}}

export type OperationName = keyof Operations;
`;
}

const buildOperation = (name: OperationName): string => `
/** \`${name}\`: ${OPERATIONS[name].summary}. */
${declare(`${nameOf(name)}Request`, OPERATIONS[name].request)}

/** The answer to \`${name}\`. */
${declare(`${nameOf(name)}Reply`, OPERATIONS[name].reply)}
`;

function declare(name: string, schema: z.ZodType): string {
  const type = typeOf(toSchema(schema, 'draft-2020-12'), '');
  return type.startsWith('{') ? `export interface ${name} ${type}` : `export type ${name} = ${type};`;
}

/** `account.release-all` → `AccountReleaseAll`. */
const nameOf = (operation: string): string =>
  operation
    .split(/[.-]/)
    .map((word) => word.slice(0, 1).toUpperCase() + word.slice(1))
    .join('');

function unionOf(values: readonly unknown[]): string {
  return values.map((value) => (typeof value === 'string' ? `'${value}'` : JSON.stringify(value))).join(' | ');
}

/** @param indent of the line on which it begins */
function typeOf(schema: JsonSchema, indent: string): string {
  if (schema.const !== undefined) return unionOf([schema.const]);
  if (schema.enum) return namesByValues.get(unionOf(schema.enum)) ?? unionOf(schema.enum);
  // Beside properties it says which of them must be there together, which a type does not say.
  if (schema.anyOf && !schema.properties) return joinTypes(schema.anyOf.map((part) => typeOf(part, indent)));
  if (Array.isArray(schema.type)) return joinTypes(schema.type.map((type) => typeOf({ ...schema, type }, indent)));
  switch (schema.type) {
    case 'object':
      return objectOf(schema, indent);
    case 'array': {
      const items = schema.items as JsonSchema;
      const element = typeOf(items, indent);
      const isUnion = items.anyOf !== undefined || Array.isArray(items.type) || element.startsWith("'");
      return isUnion ? `(${element})[]` : `${element}[]`;
    }
    case 'integer':
    case 'number':
      return 'number';
    case 'string':
    case 'boolean':
    case 'null':
      return schema.type;
    default:
      return 'unknown';
  }
}

const joinTypes = (types: readonly string[]): string => [...new Set(types)].join(' | ');

function objectOf({ properties, required = [], additionalProperties }: JsonSchema, indent: string): string {
  const others = typeof additionalProperties === 'object' ? typeOf(additionalProperties, indent) : null;
  if (properties === undefined) return `Record<string, ${others ?? 'unknown'}>`;
  const inner = `${indent}  `;
  const fields = Object.entries(properties).map(([name, given]) => {
    const property = given as JsonSchema;
    const mark = required.includes(name) ? '' : '?';
    return `${buildComment(describe(property), inner)}${inner}${name}${mark}: ${typeOf(property, inner)};\n`;
  });
  const rest = others === null ? '' : `${inner}[field: string]: unknown;\n`;
  return fields.length === 0 && rest === '' ? 'Record<string, never>' : `{\n${fields.join('')}${rest}${indent}}`;
}

/** The description of a field, which may stand within its alternatives, and its default. */
function describe(schema: JsonSchema): string {
  const text = schema.description ?? schema.anyOf?.map((part) => part.description).find((found) => found) ?? '';
  return schema.default === undefined ? text : `${text && `${text}. `}Default: ${JSON.stringify(schema.default)}`;
}

const buildComment = (text: string, indent: string): string =>
  text === '' ? '' : `${indent}/** ${text.replaceAll('*/', '*\\/')} */\n`;
