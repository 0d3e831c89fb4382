import { FAILURE_CODES, FAILURES } from '../../contracts/failures.js';
import { failuresOf } from '../../contracts/failures-of.js';
import { OPERATION_NAMES, OPERATIONS } from '../../contracts/operations.js';
import { SETTINGS } from '../../src/config/settings.js';
import { createMetrics, FLEET_GAUGES } from '../../src/telemetry/metrics.js';

const NOTE = '<!-- Written by `npm run contracts`. -->';

const table = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.map(escapeCell).join(' | ')} |`).join('\n');

const escapeCell = (text: string): string => text.replaceAll('|', '\\|').replaceAll('\n', ' ');
const code = (text: string): string => `\`${text}\``;

/** Every metric of the service, as it is declared. */
export function buildMetricsPage(): string {
  const { registry } = createMetrics();
  const rows = registry.getMetricsAsArray().map((metric) => {
    // Every kind of metric has these fields, and its type hides them.
    const { name, help, labelNames } = metric as unknown as { name: string; help: string; labelNames: string[] };
    return { name, help, type: typeOf(metric), labels: labelNames.map(code).join(', ') };
  });
  const isOwn = ({ name }: { name: string }) => name.startsWith('account_manager_');
  const toTable = (shown: typeof rows) =>
    table(
      ['metric', 'type', 'labels', 'meaning'],
      shown
        .toSorted((a, b) => (a.name < b.name ? -1 : 1))
        .map(({ name, type, labels, help }) => [code(name), type, labels, help]),
    );
  return `# Metrics

${NOTE}

Served at \`GET /metrics\`. Every label takes values of the contract, but \`service\` (after the first hundred names the rest count as
\`other\`) and \`caller\`, which is a name of the access file. A counter begins with 0 for each set of labels that the contract knows, so
\`increase()\` sees the first event; only those with \`service\` or \`caller\` begin with the first request of that service.
Histograms begin with their first value.

Some gauges show the whole installation, and every instance shows the same: ${[...FLEET_GAUGES].map(code).join(', ')}.
Ask for their \`max\` over the instances, not their \`sum\`. One instance reads the fleet for all, every two seconds, of large
fleets less often. Instances with \`JOBS_ENABLED=false\` do not show \`alerts_active\` and \`job_last_success_timestamp_seconds\`.
[watching.md](watching.md) says which of them to watch.

## The service

${toTable(rows.filter(isOwn))}

## The process

${toTable(rows.filter((row) => !isOwn(row)))}
`;
}

/** \`counter\`, \`gauge\`, \`histogram\` or \`summary\`. */
const typeOf = (metric: object): string => metric.constructor.name.toLowerCase();

/** Every setting the service reads. */
export function buildConfigurationPage(): string {
  const rows = SETTINGS.map(({ name, meaning, default: fallback, secret }) => [
    code(name),
    fallback ?? 'must be set',
    secret ? 'yes' : '',
    meaning,
  ]);
  return `# Configuration

${NOTE}

The service reads environment variables, once, when it starts; all that is wrong with them is reported at once. A
variable that is empty counts as not set. A secret may stand in a file instead, whose path \`<name>_FILE\` gives.

${table(['variable', 'default', 'secret', 'meaning'], rows)}
`;
}

/** Every failure code, and which operations can answer with it. */
export function buildErrorsPage(): string {
  const rows = FAILURE_CODES.map((name) => {
    const { http, retryable, parked, meaning } = FAILURES[name];
    return [code(name), String(http), retryable ? 'yes' : 'no', parked ? 'yes' : 'no', meaning, operationsWith(name)];
  });
  return `# Failures

${NOTE}

A reply that is not a success: \`{"success": false, "error": {"code", "message", "retryable", "retry_after_ms"?, "details"?}}\`.
Retryable: the same wish may succeed later, under a new \`message_id\`; but a repeat of \`UNAVAILABLE\` and \`INTERNAL\`
is tried again. Parked: a message from the broker that is answered so is kept in \`account-manager.parked\`; \`INTERNAL\`
only after the retries. [integrating.md](integrating.md) says how to handle each.

${table(['code', 'HTTP', 'retryable', 'parked', 'meaning', 'operations'], rows)}
`;
}

function operationsWith(failure: (typeof FAILURE_CODES)[number]): string {
  if (failure === 'UNKNOWN_OPERATION') return 'none';
  const operations = OPERATION_NAMES.filter((name) => failuresOf(name).includes(failure));
  if (operations.length === OPERATION_NAMES.length) return 'all';
  const changing = OPERATION_NAMES.filter((name) => OPERATIONS[name].changesState);
  return operations.length === changing.length && operations.every((name) => changing.includes(name))
    ? 'all that change state'
    : operations.map(code).join(', ');
}
