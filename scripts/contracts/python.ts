import { EVENT_TYPES } from '../../contracts/events.js';
import { LIMIT_REASONS } from '../../contracts/actions.js';
import { FAILURE_CODES, FAILURES } from '../../contracts/failures.js';
import {
  ACCOUNT_STATUSES,
  ACTION_TYPES,
  DISABLED_REASONS,
  ERROR_CLASSES,
  ERROR_EVIDENCE,
  PURPOSES,
} from '../../contracts/fields.js';
import { OPERATION_NAMES, type Operation, OPERATIONS, type OperationName } from '../../contracts/operations.js';
import { type JsonSchema, successSchema, toSchema } from './schemas.js';

const NOTE = 'Written by `npm run contracts`.';
const WIDTH = 116;

/** Enumerations that have a name in Python; the others are written out where they stand. */
const ENUMERATIONS: Readonly<Record<string, readonly string[]>> = {
  AccountStatus: ACCOUNT_STATUSES,
  ActionType: ACTION_TYPES,
  DisabledReason: DISABLED_REASONS,
  ErrorClass: ERROR_CLASSES,
  ErrorEvidence: ERROR_EVIDENCE,
  EventType: EVENT_TYPES,
  LimitReason: LIMIT_REASONS,
  Purpose: PURPOSES,
};

/** Parameters of a method beside the fields of its request. */
const OPTIONS = ['self', 'timeout', 'message_id'];
const KEYWORDS = new Set(['from', 'in', 'is', 'not', 'or', 'and', 'if', 'else', 'class', 'def', 'global', 'pass']);

/** The failure codes as exceptions of the Python client. */
export function buildPythonFailures(): string {
  const classes = FAILURE_CODES.map(
    (code) => `class ${pascalCase(code)}(AccountManagerError):
${docstring(FAILURES[code].meaning.concat('.'), 4)}

    code = "${code}"
`,
  );
  return `"""The failure codes of the contract as exceptions. ${NOTE}"""

from __future__ import annotations

from .errors import AccountManagerError

${all(FAILURE_CODES.map(pascalCase))}

${classes.map((text) => `\n${text}`).join('\n')}

#: By code.
FAILURES: dict[str, type[AccountManagerError]] = {
${FAILURE_CODES.map((code) => `    "${code}": ${pascalCase(code)},`).join('\n')}
}
`;
}

/** The operations as methods of the Python client, with the shapes of what they take and answer. */
export function buildPythonOperations(): string {
  const shapes = new Shapes();
  const methods = OPERATION_NAMES.map((name) => describeMethod(name, shapes));
  const clients = [
    { name: 'AsyncOperations', isAsync: true },
    { name: 'BlockingOperations', isAsync: false },
  ];
  const names = [...Object.keys(ENUMERATIONS), ...shapes.names];
  return `"""Every operation of the contract as a method, and the shapes of requests and replies. ${NOTE}"""

from __future__ import annotations

from typing import Any, Literal, NotRequired, TypedDict

${all(names.toSorted())}

${Object.entries(ENUMERATIONS)
  .map(([name, values]) => `${name} = ${literal(values)}`)
  .join('\n')}

${shapes.text}
${clients.map((client) => `\n${writeClient(client, methods)}`).join('\n')}`;
}

interface Method {
  operation: OperationName;
  summary: string;
  raises: readonly string[];
  parameters: { field: string; type: string; isRequired: boolean; isOwnName: boolean }[];
  reply: string;
}

function describeMethod(operation: OperationName, shapes: Shapes): Method {
  const { summary, failures }: Operation = OPERATIONS[operation];
  const { properties = {}, required = [] } = toSchema(OPERATIONS[operation].request, 'draft-7');
  const whole = pascalCase(operation);
  return {
    operation,
    summary,
    raises: failures.map(pascalCase),
    parameters: Object.entries(properties).map(([field, schema]) => {
      if (OPTIONS.includes(field)) throw new Error(`${operation}: a method of Python has no room for a field ${field}`);
      const isOwnName = field === 'service_name' && required.includes(field);
      return {
        field,
        type: withoutNone(shapes.typeOf(schema, `${whole}${pascalCase(field)}`)),
        isRequired: required.includes(field) && !isOwnName,
        isOwnName,
      };
    }),
    reply: shapes.typeOf(toSchema(successSchema(operation), 'draft-7'), `${whole}Reply`),
  };
}

function writeClient({ name, isAsync }: { name: string; isAsync: boolean }, methods: readonly Method[]): string {
  const def = isAsync ? 'async def' : 'def';
  return `class ${name}:
    """Every operation of the contract as a method. \`timeout\`: seconds. \`message_id\`: a UUID; the repeat of a request has
    that of the first.
    """

    service_name: str

    ${def} _call(self, operation: str, body: dict[str, Any], timeout: float | None, message_id: str | None) -> Any:
        raise NotImplementedError

${methods.map((method) => writeMethod(method, isAsync)).join('\n')}`;
}

function writeMethod({ operation, summary, raises, parameters, reply }: Method, isAsync: boolean): string {
  const ordered = [...parameters.filter((one) => one.isRequired), ...parameters.filter((one) => !one.isRequired)];
  const signature = [
    ...ordered.map(({ field, type, isRequired }) => {
      const name = parameterName(field);
      return isRequired ? `${name}: ${type}` : `${name}: ${type} | None = None`;
    }),
    'timeout: float | None = None',
    'message_id: str | None = None',
  ];
  const fields = parameters.map(
    ({ field, isOwnName }) =>
      `            "${field}": ${parameterName(field)}${isOwnName ? ' or self.service_name' : ''},`,
  );
  const body = fields.length === 0 ? '{}' : `{\n${fields.join('\n')}\n        }`;
  const text = [
    `\`${operation}\`: ${summary.charAt(0).toLowerCase()}${summary.slice(1)}.`,
    ...(raises.length === 0 ? [] : [`Raises ${raises.join(', ')}.`]),
  ].join(' ');
  return `    ${isAsync ? 'async def' : 'def'} ${operation.replaceAll(/[.-]/g, '_')}(
        self,
        *,
${signature.map((parameter) => `        ${parameter},`).join('\n')}
    ) -> ${reply}:
${docstring(text, 8)}
        body: dict[str, Any] = ${body}
        reply: ${reply} = ${isAsync ? 'await ' : ''}self._call("${operation}", body, timeout, message_id)
        return reply
`;
}

/** The shapes of objects, as they are met. */
class Shapes {
  readonly names: string[] = [];
  text = '';

  /** The Python type of a schema; an object with fields gets a class of its own under that name. */
  typeOf(schema: JsonSchema | boolean, name: string): string {
    if (typeof schema === 'boolean') return 'Any';
    const { anyOf, type, properties, additionalProperties } = schema;
    if (properties === undefined && anyOf !== undefined) {
      return unite(anyOf.map((one, index) => this.typeOf(one, index === 0 ? name : `${name}${index}`)));
    }
    if (schema.const !== undefined) return literal([schema.const as string | boolean]);
    if (schema.enum !== undefined) return enumeration(schema.enum as (string | null)[]);
    if (Array.isArray(type)) return unite(type.map((one) => this.typeOf({ ...schema, type: one }, name)));
    switch (type) {
      case 'string':
        return 'str';
      case 'integer':
        return 'int';
      case 'number':
        return 'float';
      case 'boolean':
        return 'bool';
      case 'null':
        return 'None';
      case 'array':
        return `list[${this.typeOf((schema.items as JsonSchema | undefined) ?? true, name)}]`;
      case 'object':
        if (properties !== undefined && Object.keys(properties).length > 0) return this.addClass(schema, name);
        return `dict[str, ${this.typeOf(additionalProperties || true, name)}]`;
      default:
        return 'Any';
    }
  }

  private addClass({ properties = {}, required = [], description }: JsonSchema, name: string): string {
    const fields = Object.entries(properties).map(([field, schema]) => {
      if (KEYWORDS.has(field)) throw new Error(`${name}: a class of Python cannot have a field ${field}`);
      const type = this.typeOf(schema, `${name}${pascalCase(field)}`);
      const meaning = typeof schema === 'object' ? schema.description : undefined;
      const comment = meaning === undefined ? [] : wrap(meaning, WIDTH - 7).map((line) => `    #: ${line}`);
      return [...comment, `    ${field}: ${required.includes(field) ? type : `NotRequired[${type}]`}`].join('\n');
    });
    this.names.push(name);
    const told = description === undefined ? '' : `${docstring(`${description}.`, 4)}\n\n`;
    this.text += `\nclass ${name}(TypedDict):\n${told}${fields.join('\n')}\n\n`;
    return name;
  }
}

/** `account.release-all`, `ALL_BUSY`, `usage_stats` → `AccountReleaseAll`, `AllBusy`, `UsageStats`. */
const pascalCase = (name: string): string =>
  name
    .toLowerCase()
    .split(/[._-]/)
    .map((word) => word.charAt(0).toUpperCase() + word.slice(1))
    .join('');

const parameterName = (field: string): string => (KEYWORDS.has(field) ? `${field}_` : field);

const unite = (types: readonly string[]): string => [...new Set(types)].join(' | ');
const withoutNone = (type: string): string => type.replace(/ \| None$/, '');

function enumeration(values: readonly (string | null)[]): string {
  const texts = values.filter((value) => value !== null);
  const named = Object.entries(ENUMERATIONS).find(([, known]) => known.join() === texts.join());
  return unite([named?.[0] ?? literal(texts), ...(texts.length < values.length ? ['None'] : [])]);
}

function literal(values: readonly (string | boolean)[]): string {
  const written = values.map((value) => (typeof value === 'string' ? `"${value}"` : value ? 'True' : 'False'));
  return `Literal[${written.join(', ')}]`;
}

const all = (names: readonly string[]): string => `__all__ = [\n${names.map((name) => `    "${name}",`).join('\n')}\n]`;

function docstring(text: string, indent: number): string {
  const margin = ' '.repeat(indent);
  const lines = wrap(text.replaceAll('\\', '\\\\'), WIDTH - indent - 6);
  return lines.length === 1
    ? `${margin}"""${lines[0]}"""`
    : `${margin}"""${lines.map((line, index) => (index === 0 ? line : margin + line)).join('\n')}\n${margin}"""`;
}

/** Lines of at most `width` characters. */
function wrap(text: string, width: number): string[] {
  const lines = [''];
  for (const word of text.split(/\s+/)) {
    const last = lines.at(-1) ?? '';
    if (last !== '' && last.length + 1 + word.length > width) lines.push(word);
    else lines[lines.length - 1] = last === '' ? word : `${last} ${word}`;
  }
  return lines;
}
