import { readFileSync } from 'node:fs';
import path from 'node:path';
import { Parser } from '@asyncapi/parser';
import { expect, test } from '@jest/globals';
import { Validator } from '@seriousme/openapi-schema-validator';
import { cloudEvent, EVENT_TYPES } from '../../contracts/events.js';
import { EXAMPLES } from '../../contracts/examples.js';
import { EVENT_EXAMPLES } from '../../contracts/examples/events.js';
import { failureReply } from '../../contracts/failures.js';
import { failuresOf } from '../../contracts/failures-of.js';
import { OPERATION_NAMES, OPERATIONS } from '../../contracts/operations.js';
import { DOCUMENTS } from '../../scripts/contracts/documents.js';
import { successSchema } from '../../scripts/contracts/schemas.js';

const ROOT = path.resolve(import.meta.dirname, '../..');
const read = (file: string): string => readFileSync(path.join(ROOT, file), 'utf8');

/** Severities are those of Spectral: 0 is an error. */
const errorsOf = <T extends { severity: number }>(diagnostics: T[]): T[] =>
  diagnostics.filter(({ severity }) => severity === 0);

test.each(Object.keys(DOCUMENTS))('%s is what npm run contracts writes', (file) => {
  // Not toBe: the difference of two long texts is not for reading.
  expect({ file, isUpToDate: DOCUMENTS[file]?.() === read(file) }).toEqual({ file, isUpToDate: true });
});

test('its parser finds no fault in contracts/asyncapi.json', async () => {
  const parser = new Parser();
  const text = read('contracts/asyncapi.json');
  const { document, diagnostics } = await parser.parse(text);
  expect(errorsOf(diagnostics)).toEqual([]);
  const operations = document?.operations().all() ?? [];
  expect(operations.map((operation) => operation.id())).toEqual(expect.arrayContaining([...OPERATION_NAMES]));
  expect(operations.filter((operation) => operation.isReceive() && operation.reply()).length).toBe(
    OPERATION_NAMES.length,
  );

  const broken = await parser.parse(text.replace('"action": "receive"', '"action": "recieve"'));
  expect(errorsOf(broken.diagnostics)).not.toEqual([]);
});

test('its validator finds no fault in contracts/openapi.json', async () => {
  const document = JSON.parse(read('contracts/openapi.json'));
  const validator = new Validator();
  expect(await validator.validate(structuredClone(document))).toEqual({ valid: true });
  expect(validator.version).toBe('3.1');
  const routes = Object.entries<Record<string, { operationId?: string }>>(document.paths).flatMap(([route, methods]) =>
    Object.entries(methods).map(([method, { operationId }]) => `${operationId ?? ''} ${method} ${route}`),
  );
  for (const name of OPERATION_NAMES) {
    const { method, path: route } = OPERATIONS[name].http;
    expect(routes).toContain(`${name} ${method.toLowerCase()} /api/v1/account-manager${route}`);
  }
  // Everything it refers to is there.
  for (const [, key, name] of JSON.stringify(document).matchAll(/"#\/components\/(\w+)\/(\w+)"/g)) {
    expect(document.components[key!]?.[name!]).toBeDefined();
  }

  delete document.info.title;
  expect((await validator.validate(document)).valid).toBe(false);
});

test('every operation and every event has an example', () => {
  expect(
    OPERATION_NAMES.filter((name) => (EXAMPLES[name] as readonly unknown[] | undefined)?.length === undefined),
  ).toEqual([]);
  expect(OPERATION_NAMES.filter((name) => !EXAMPLES[name].some(({ reply }) => reply.success))).toEqual([]);
  expect(EVENT_TYPES.filter((type) => !Object.hasOwn(EVENT_EXAMPLES, type))).toEqual([]);
});

test.each(OPERATION_NAMES)('examples of %s fit the contract', (name) => {
  const names = EXAMPLES[name].map((example) => example.name);
  expect(new Set(names).size).toBe(names.length);
  for (const { request, reply } of EXAMPLES[name]) {
    expect(OPERATIONS[name].request.safeParse(request).error).toBeUndefined();
    if (reply.success) expect(successSchema(name).safeParse(reply).error).toBeUndefined();
    else {
      expect(failureReply.safeParse(reply).error).toBeUndefined();
      expect(failuresOf(name)).toContain(reply.error.code);
    }
  }
});

test.each(EVENT_TYPES)('the example of %s fits the contract', (type) => {
  const event = EVENT_EXAMPLES[type];
  expect(event.type).toBe(type);
  expect(cloudEvent.safeParse(event).error).toBeUndefined();
  expect(JSON.stringify(event)).not.toMatch(/session|phone/);
});
