import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/** A process as Linux accounts for it. */
export interface ProcessGroup {
  name: string;
  pid: number;
  /** Its children do its work: PostgreSQL's do. */
  withChildren?: boolean;
}

/** Resources that a group of processes has used so far. */
export interface Usage {
  cpuMs: number;
  /** Calls of the system that read and write, sockets included. */
  reads: number;
  writes: number;
}

/** Linux tells CPU time in ticks of this length. */
const TICK_MS = 10;

const readText = (file: string): string => {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    // The process has ended since it was listed.
    return '';
  }
};

/** The process that listens on the port of the URL; throws where this user sees none. */
export function findListener(url: string, usualPort: number): number {
  const port = Number(new URL(url).port || usualPort);
  const hexPort = port.toString(16).toUpperCase().padStart(4, '0');
  const sockets = new Set(
    ['tcp', 'tcp6'].flatMap((table) =>
      readText(`/proc/net/${table}`)
        .split('\n')
        .map((line) => line.trim().split(/\s+/))
        .filter(([, local = '', , state]) => local.endsWith(`:${hexPort}`) && state === '0A')
        .map((columns) => `socket:[${columns[9]}]`),
    ),
  );
  const pid = listPids().find((candidate) => openFiles(candidate).some((file) => sockets.has(file)));
  if (pid === undefined) throw new Error(`no process of this machine listens on port ${port}`);
  return pid;
}

const listPids = (): number[] =>
  readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .sort((a, b) => a - b);

function openFiles(pid: number): string[] {
  try {
    return readdirSync(`/proc/${pid}/fd`).map((fd) => readlinkSync(`/proc/${pid}/fd/${fd}`));
  } catch {
    return [];
  }
}

/** The fields of `/proc/PID/stat` behind the name, which may hold blanks; the first is the state. */
const statOf = (pid: number): string[] => readText(`/proc/${pid}/stat`).split(') ').at(-1)?.split(' ') ?? [];

const numberAt = (fields: readonly string[], index: number): number => Number(fields[index] ?? 0);

/** Resources that the group has used since its start. Children that have ended count too. */
export function usageOf({ pid, withChildren = false }: ProcessGroup): Usage {
  const children = withChildren ? listPids().filter((candidate) => numberAt(statOf(candidate), 1) === pid) : [];
  const endedMs = withChildren ? (numberAt(statOf(pid), 13) + numberAt(statOf(pid), 14)) * TICK_MS : 0;
  const usage: Usage = { cpuMs: endedMs, reads: 0, writes: 0 };
  for (const member of [pid, ...children]) {
    const stat = statOf(member);
    usage.cpuMs += (numberAt(stat, 11) + numberAt(stat, 12)) * TICK_MS;
    const io = readText(`/proc/${member}/io`);
    usage.reads += Number(/syscr: (\d+)/.exec(io)?.[1] ?? 0);
    usage.writes += Number(/syscw: (\d+)/.exec(io)?.[1] ?? 0);
  }
  return usage;
}

/** How busy all processors were so far, milliseconds. */
export function busyMs(): number {
  const [, user = 0, nice = 0, system = 0, , , irq = 0, softIrq = 0] = (readText('/proc/stat').split('\n')[0] ?? '')
    .split(/\s+/)
    .map(Number);
  return (user + nice + system + irq + softIrq) * TICK_MS;
}
