import type { z } from 'zod';
import * as accounts from './accounts.js';
import * as actions from './actions.js';
import * as admin from './admin.js';
import { ENVELOPE } from './envelope.js';
import type { FailureCode } from './failures.js';
import { eventsReply, eventsRequest } from './event-feed.js';
import * as fleet from './fleet.js';
import { bulkReply, bulkRequest, removeReply, removeRequest } from './fleet-work.js';
import { historyReply, historyRequest } from './history.js';
import * as jobs from './jobs.js';
import { parkedReply, parkedRequest } from './parked.js';
import * as queries from './queries.js';
import type { RequestQueue } from './topology.js';
import { seriesReply, seriesRequest } from './series.js';
import * as views from './views.js';

/** One row of the table: everything a door, a document or a test needs to know of an operation. */
export interface Operation {
  summary: string;
  /** The request queue that carries it. */
  queue: RequestQueue;
  /** Its route below `/api/v1/account-manager`; a `{field}` is taken out of the body. */
  http: {
    method: 'GET' | 'POST';
    path: string;
    /** Fields that a POST may carry in its query string instead of its body, as the predecessor's did. */
    query?: readonly string[];
  };
  request: z.ZodObject;
  reply: z.ZodObject;
  /** The refusals of its own, beside those that any request can meet. */
  failures: readonly FailureCode[];
  /**
   * Fields whose text is read and not kept. NUL and half of a surrogate pair anywhere in them are no reason to refuse
   * the request; what of them is kept, the request's schema cleans or judges.
   */
  unkept?: readonly string[];
  /** A larger body is refused before it is parsed; absent: `ENVELOPE.maxBodyBytes`. */
  maxBodyBytes?: number;
  /** More values are refused before they are parsed; absent: `ENVELOPE.maxBodyValues`. */
  maxBodyValues?: number;
  /** Whether it has an effect: it then needs a `message_id`, and its reply is remembered. */
  changesState: boolean;
}

const heldAccount = ['ACCOUNT_NOT_FOUND', 'NOT_HELD', 'LEASE_LOST'] as const;

/** THE table of operations. The key is the AMQP routing key. */
export const OPERATIONS = {
  'account.allocate': {
    summary: 'Lease one account of a user for a purpose',
    queue: 'allocate',
    http: { method: 'POST', path: '/allocate' },
    request: accounts.allocateRequest,
    reply: accounts.allocateReply,
    failures: ['NO_ACCOUNTS', 'ALL_BUSY', 'ALL_LIMITED', 'ALL_RESTRICTED', 'PREFERRED_UNAVAILABLE'],
    changesState: true,
  },
  'account.renew': {
    summary: 'Prolong a lease, counted from now',
    queue: 'release',
    http: { method: 'POST', path: '/renew/{account_id}' },
    request: accounts.renewRequest,
    reply: accounts.renewReply,
    failures: heldAccount,
    changesState: true,
  },
  'account.release': {
    summary: 'Give an account back and say what was done with it',
    queue: 'release',
    http: { method: 'POST', path: '/release/{account_id}' },
    request: accounts.releaseRequest,
    reply: accounts.releaseReply,
    failures: heldAccount,
    unkept: ['usage_stats'],
    changesState: true,
  },
  'account.release-all': {
    summary: 'Give back everything a service holds, such as after its crash',
    queue: 'release',
    http: { method: 'POST', path: '/release-all' },
    request: accounts.releaseAllRequest,
    reply: accounts.releaseAllReply,
    failures: [],
    changesState: true,
  },
  'account.error': {
    summary: 'Report an error Telegram gave and learn what it means for the account',
    queue: 'error',
    http: { method: 'POST', path: '/handle-error/{account_id}' },
    request: accounts.errorRequest,
    reply: accounts.errorReply,
    failures: heldAccount,
    unkept: ['error_type', 'error_message', 'error_code', 'context'],
    changesState: true,
  },
  'action.check': {
    summary: 'Ask whether an action is allowed now; changes nothing',
    queue: 'action',
    http: { method: 'POST', path: '/rate-limit/check/{account_id}' },
    request: actions.checkRequest,
    reply: actions.checkReply,
    failures: ['ACCOUNT_NOT_FOUND'],
    changesState: false,
  },
  'action.acquire': {
    summary: 'Check and record an action in one atomic step',
    queue: 'action',
    http: { method: 'POST', path: '/rate-limit/acquire/{account_id}' },
    request: actions.acquireRequest,
    reply: actions.acquireReply,
    failures: heldAccount,
    changesState: true,
  },
  'action.record': {
    summary: 'Settle a permit, or count an action that has happened',
    queue: 'action',
    http: { method: 'POST', path: '/rate-limit/record/{account_id}' },
    request: actions.recordRequest,
    reply: actions.recordReply,
    failures: ['ACCOUNT_NOT_FOUND'],
    changesState: true,
  },
  'query.health': {
    summary: 'Whether an account is well, and what is wrong with it',
    queue: 'query',
    http: { method: 'GET', path: '/health/{account_id}' },
    request: queries.byAccount,
    reply: queries.healthReply,
    failures: ['ACCOUNT_NOT_FOUND'],
    changesState: false,
  },
  'query.limits': {
    summary: 'Every window of an account, by action',
    queue: 'query',
    http: { method: 'GET', path: '/rate-limit/status/{account_id}' },
    request: queries.byAccount,
    reply: queries.limitsReply,
    failures: ['ACCOUNT_NOT_FOUND'],
    changesState: false,
  },
  'query.flood-wait': {
    summary: 'Whether an account is in a flood wait, and until when',
    queue: 'query',
    http: { method: 'GET', path: '/flood-wait/{account_id}' },
    request: queries.byAccount,
    reply: queries.floodWaitReply,
    failures: ['ACCOUNT_NOT_FOUND'],
    changesState: false,
  },
  'query.recovery-stats': {
    summary: 'How many accounts are well, waiting, blocked, and when the next one recovers',
    queue: 'query',
    http: { method: 'GET', path: '/stats/recovery' },
    request: queries.noFields,
    reply: queries.recoveryStatsReply,
    failures: [],
    changesState: false,
  },
  'query.accounts': {
    summary: 'The accounts of a user or of the fleet, page by page, with what they can still do today',
    queue: 'query',
    http: { method: 'GET', path: '/accounts/summary' },
    request: fleet.accountsRequest,
    reply: fleet.accountsReply,
    failures: [],
    changesState: false,
  },
  'query.explain': {
    summary: 'Why each account of a user would be granted or not: every rule, and when it would pass',
    queue: 'query',
    http: { method: 'GET', path: '/explain' },
    request: fleet.explainRequest,
    reply: fleet.explainReply,
    failures: [],
    changesState: false,
  },
  'query.history': {
    summary: 'Everything that was done to an account, by whom and why, page by page',
    queue: 'query',
    http: { method: 'GET', path: '/history/{account_id}' },
    request: historyRequest,
    reply: historyReply,
    failures: ['ACCOUNT_NOT_FOUND'],
    changesState: false,
  },
  'query.status': {
    summary: 'The fleet, the leases by service, and the state of what the service depends on',
    queue: 'query',
    http: { method: 'GET', path: '/status' },
    request: queries.noFields,
    reply: fleet.statusReply,
    failures: [],
    changesState: false,
  },
  'query.report': {
    summary: 'A report of the state of the fleet: the latest, or by id or time',
    queue: 'query',
    http: { method: 'GET', path: '/report' },
    request: jobs.reportRequest,
    reply: jobs.reportReply,
    failures: [],
    changesState: false,
  },
  'query.leases': {
    summary: 'The open leases of the fleet: who has which account, for what, until when',
    queue: 'query',
    http: { method: 'GET', path: '/leases' },
    request: views.leasesRequest,
    reply: views.leasesReply,
    failures: [],
    changesState: false,
  },
  'query.recoveries': {
    summary: 'The accounts that wait, why, and when each is active again',
    queue: 'query',
    http: { method: 'GET', path: '/recoveries' },
    request: views.recoveriesRequest,
    reply: views.recoveriesReply,
    failures: [],
    changesState: false,
  },
  'query.jobs': {
    summary: 'The background jobs: when each is due, and how its latest runs ended',
    queue: 'query',
    http: { method: 'GET', path: '/jobs' },
    request: views.jobsRequest,
    reply: views.jobsReply,
    failures: [],
    changesState: false,
  },
  'query.alerts': {
    summary: 'The alerts that are open, or were',
    queue: 'query',
    http: { method: 'GET', path: '/alerts' },
    request: views.alertsRequest,
    reply: views.alertsReply,
    failures: [],
    changesState: false,
  },
  'query.events': {
    summary: 'The events of the fleet, in order, from any position on',
    queue: 'query',
    http: { method: 'GET', path: '/events' },
    request: eventsRequest,
    reply: eventsReply,
    failures: [],
    changesState: false,
  },
  'query.series': {
    summary: 'How the fleet developed: figures by the minute for 48 hours, and by the hour for 90 days',
    queue: 'query',
    http: { method: 'GET', path: '/series' },
    request: seriesRequest,
    reply: seriesReply,
    failures: [],
    changesState: false,
  },
  'query.policy': {
    summary: 'The limits in force, and what else the service goes by',
    queue: 'query',
    http: { method: 'GET', path: '/policy' },
    request: queries.noFields,
    reply: views.policyReply,
    failures: [],
    changesState: false,
  },
  'admin.register': {
    summary: 'Add accounts as they stand, or renew the session of accounts that are known',
    queue: 'admin',
    http: { method: 'POST', path: '/accounts' },
    request: admin.registerRequest,
    reply: admin.registerReply,
    failures: [],
    unkept: ['accounts'],
    maxBodyBytes: 4 * 1024 * 1024,
    // 1,000 accounts with metadata and what each has done in some channels; read within 0.2 s.
    maxBodyValues: 200_000,
    changesState: true,
  },
  'admin.set-status': {
    summary: 'Disable, drain or activate an account',
    queue: 'admin',
    http: { method: 'POST', path: '/accounts/{account_id}/status' },
    request: admin.setStatusRequest,
    reply: admin.setStatusReply,
    failures: ['ACCOUNT_NOT_FOUND'],
    changesState: true,
  },
  'admin.reauthorize': {
    summary: 'Give an account a fresh session; ends disabled for needs_reauth',
    queue: 'admin',
    http: { method: 'POST', path: '/accounts/{account_id}/session' },
    request: admin.reauthorizeRequest,
    reply: admin.reauthorizeReply,
    failures: ['ACCOUNT_NOT_FOUND'],
    changesState: true,
  },
  'admin.recover': {
    summary: "End an account's waits and its count of errors now",
    queue: 'admin',
    http: { method: 'POST', path: '/recover/{account_id}' },
    request: admin.recoverRequest,
    reply: admin.recoverReply,
    failures: ['ACCOUNT_NOT_FOUND'],
    changesState: true,
  },
  'admin.schedule-recovery': {
    summary: "Set the end of an account's present wait",
    queue: 'admin',
    http: {
      method: 'POST',
      path: '/schedule-recovery/{account_id}',
      query: ['recovery_time', 'recovery_type', 'reason'],
    },
    request: admin.scheduleRecoveryRequest,
    reply: admin.scheduleRecoveryReply,
    failures: ['ACCOUNT_NOT_FOUND'],
    changesState: true,
  },
  'admin.force-release': {
    summary: 'Take an account away from its holder, who is refused from then on',
    queue: 'admin',
    http: { method: 'POST', path: '/force-release/{account_id}' },
    request: admin.forceReleaseRequest,
    reply: admin.forceReleaseReply,
    failures: ['ACCOUNT_NOT_FOUND'],
    changesState: true,
  },
  'admin.bulk': {
    summary: 'Recover, activate, drain, disable or take back every account that matches a filter',
    queue: 'admin',
    http: { method: 'POST', path: '/accounts/bulk' },
    request: bulkRequest,
    reply: bulkReply,
    failures: ['COUNT_CHANGED'],
    changesState: true,
  },
  'admin.remove': {
    summary: 'Take an account away and erase its session, phone number and metadata for good',
    queue: 'admin',
    http: { method: 'POST', path: '/accounts/{account_id}/remove' },
    request: removeRequest,
    reply: removeReply,
    failures: ['ACCOUNT_NOT_FOUND'],
    changesState: true,
  },
  'admin.parked': {
    summary: 'List, show, replay or discard the messages that were put aside',
    queue: 'admin',
    http: { method: 'POST', path: '/parked' },
    request: parkedRequest,
    reply: parkedReply,
    failures: [],
    changesState: true,
  },
  'admin.run-job': {
    summary: 'Run a background job now, and tell what it did',
    queue: 'admin',
    http: { method: 'POST', path: '/maintenance/{job}', query: ['limit'] },
    request: jobs.runJobRequest,
    reply: jobs.runJobReply,
    failures: [],
    changesState: true,
  },
} as const satisfies Record<string, Operation>;

export type OperationName = keyof typeof OPERATIONS;
export const OPERATION_NAMES = Object.keys(OPERATIONS) as OperationName[];

/** A request's body after validation. */
export type RequestBody<K extends OperationName> = z.output<(typeof OPERATIONS)[K]['request']>;
/** A request's body as a caller writes it, with what may be left out. */
export type GivenBody<K extends OperationName> = z.input<(typeof OPERATIONS)[K]['request']>;
/** The fields of a success beside `success: true`. */
export type ReplyBody<K extends OperationName> = z.output<(typeof OPERATIONS)[K]['reply']>;

/** How large the body of a request may be; `name` may name no operation. */
export const maxBodyBytesOf = (name: string): number => {
  const operation: Operation | undefined = isOperationName(name) ? OPERATIONS[name] : undefined;
  return operation?.maxBodyBytes ?? ENVELOPE.maxBodyBytes;
};

/** How many values the body of a request may have; `name` may name no operation. */
export const maxBodyValuesOf = (name: string): number => {
  const operation: Operation | undefined = isOperationName(name) ? OPERATIONS[name] : undefined;
  return operation?.maxBodyValues ?? ENVELOPE.maxBodyValues;
};

export const isOperationName = (name: string): name is OperationName => Object.hasOwn(OPERATIONS, name);
