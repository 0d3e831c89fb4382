import type { FaultRun } from './run-fault.js';

const HEAD = [
  'fault',
  'runs',
  'requests',
  'sent again',
  'events',
  'injected',
  'violations',
  'recovery p50 s',
  'max s',
  'silent s',
  'MB',
];

/** One line per fault, over its rounds. */
export function toTable(runs: readonly FaultRun[]): string {
  const rows = [...new Set(runs.map(({ fault }) => fault))].map((fault) => {
    const own = runs.filter((run) => run.fault === fault);
    const sum = (of: (run: FaultRun) => number) => own.reduce((total, run) => total + of(run), 0);
    const recoveries = own.map(({ recoveryMs }) => recoveryMs / 1_000).sort((a, b) => a - b);
    return [
      fault,
      own.length,
      sum(({ requests }) => requests),
      sum(({ resent }) => resent),
      sum(({ events }) => events),
      sum(({ injected }) => injected),
      sum(({ violations }) => violations.length),
      recoveries[Math.floor((recoveries.length - 1) / 2)]?.toFixed(1) ?? '',
      recoveries.at(-1)?.toFixed(1) ?? '',
      (Math.max(...own.map(({ silenceMs }) => silenceMs)) / 1_000).toFixed(1),
      Math.max(...own.map(({ memoryMb }) => memoryMb)),
    ];
  });
  return [HEAD, HEAD.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}
