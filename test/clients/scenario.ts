import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect } from '@jest/globals';
import type { ConnectOptions, EventType, Failure, OperationName } from '@account-manager/client';

// The words of packages/scenarios.json; packages/README.md says what they mean.

export type Json = null | boolean | number | string | Json[] | { [name: string]: Json };
export type Body = Record<string, Json>;

export interface Step {
  call?: OperationName;
  body?: Body;
  options?: { timeout_ms?: number; message_id?: string };
  with_account?: Body;
  act?: string;
  channel?: string;
  wait_ms?: number;
  do?: Step[];
  return?: Json;
  throw?: { telegram?: { name: string; code: number }; own?: string };
  until_lost?: true;
  before_lease_end?: true;
  sleep_ms?: number;
  network?: 'cut' | 'down' | 'silent' | 'up';
  subscribe?: EventType[];
  queue?: string;
  handler?: { fails?: Record<string, number>; takes_ms?: number; hangs?: string[] };
  publish?: { id: string; type: EventType; subject?: string; sequence?: number }[];
  handled?: string[];
  handled_types?: string[];
  within_ms?: number;
  reopen?: true;
  close?: true;
  connections?: number;
  parallel?: Step[][];
  repeat?: number;
  at_once?: number;
  connect_as?: { rights: Record<'configure' | 'write' | 'read', string>; password?: 'wrong' };
  expect?: Json;
  expect_error?: Body;
  took_ms?: { at_least?: number; at_most?: number };
}

export interface PeerAnswer {
  merge?: Body;
  reply?: Body;
  refuse?: Partial<Failure> & { code: string; retryable: boolean };
  silence?: true;
  lose?: PeerAnswer;
  delay_ms?: number;
  always?: true;
}

interface Options {
  service_name?: string;
  timeout_ms?: number;
  resend_after_ms?: number;
  heartbeat_seconds?: number;
  close_timeout_ms?: number;
}

export interface Scenario {
  name: string;
  against: 'peer' | 'service';
  client: Step[];
  options?: Options;
  peer?: Partial<Record<OperationName, PeerAnswer[]>>;
  asked?: Partial<Record<OperationName, { body?: Body; copies?: number | { at_least: number } }[]>>;
  asked_count?: Partial<Record<OperationName, number>>;
  fleet?: number;
  fail_point?: { operation: OperationName; point: string; message_id: string };
}

export const { options, defaults, scenarios } = JSON.parse(
  readFileSync(path.resolve(import.meta.dirname, '../../packages/scenarios.json'), 'utf8'),
) as { options: Options; defaults: Record<string, Body>; scenarios: Scenario[] };

/** The options of a scenario in the terms of this client. */
export const connectOptionsOf = (scenario: Scenario): ConnectOptions => {
  const given = { ...options, ...scenario.options };
  return {
    serviceName: given.service_name ?? '',
    timeoutMs: given.timeout_ms,
    resendAfterMs: given.resend_after_ms,
    heartbeatSeconds: given.heartbeat_seconds,
    closeTimeoutMs: given.close_timeout_ms,
    onWarning: () => undefined,
  };
};

/** Values that the `$` placeholders of a body stand for. */
export interface Known {
  held?: { account_id: string; lease_id: string; fence: number };
  user?: number;
  accounts?: readonly string[];
}

/** Puts values in the place of `{"$after_ms": n}`, `{"$held": …}` and so on. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- of any type: what the template says
export function fill(template: unknown, known: Known = {}): any {
  if (Array.isArray(template)) return template.map((element) => fill(element, known));
  if (typeof template !== 'object' || template === null) return template;
  const [[name, argument] = ['', undefined], ...others] = Object.entries(template);
  if (others.length > 0 || !name.startsWith('$')) {
    return Object.fromEntries(Object.entries(template).map(([key, value]) => [key, fill(value, known)]));
  }
  switch (name) {
    case '$after_ms':
      return new Date(Date.now() + Number(argument)).toISOString();
    case '$held':
      return known.held?.[argument as keyof NonNullable<Known['held']>];
    case '$user':
      return known.user;
    case '$account':
      return known.accounts?.[argument];
    case '$any':
      return expect.anything();
    default:
      throw new Error(`unknown value ${name}`);
  }
}

/** Merges object by object; anything else is replaced. */
export function merge(base: Json | undefined, added: Json): Json {
  if (!isObject(base) || !isObject(added)) return added;
  const names = new Set([...Object.keys(base), ...Object.keys(added)]);
  return Object.fromEntries(
    [...names].map((name) => [name, added[name] === undefined ? (base[name] ?? null) : merge(base[name], added[name])]),
  );
}

const isObject = (value: Json | undefined): value is Record<string, Json> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Holds what was got against what is expected: further fields may be there. */
export function hold(got: unknown, expected: unknown, known?: Known): void {
  expect({ got }).toMatchObject({ got: fill(expected, known) });
}
