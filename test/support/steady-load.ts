import { connectRpc } from './rpc.js';
import { telethonSession } from './session-strings.js';

/** Requests at a steady rate, whether or not the answers keep up. */
export interface SteadyLoad {
  /** Allocates and releases for so long; answers each request's length, milliseconds. */
  serve: (seconds: number) => Promise<number[]>;
  /** As `serve`, for as long as `work` takes. */
  serveDuring: (work: Promise<unknown>) => Promise<number[]>;
  close: () => Promise<void>;
}

const SERVED = 200;

/** Registers accounts of a user of its own over the bus. `rate`: requests a second; two make a cycle. */
export async function startSteadyLoad({ userId, rate }: { userId: number; rate: number }): Promise<SteadyLoad> {
  const client = await connectRpc(process.env.RABBITMQ_URL ?? 'amqp://localhost');
  const accounts = Array.from({ length: SERVED }, (_, index) => ({
    user_id: userId,
    phone: `+${userId}${String(index).padStart(6, '0')}`,
    session_data: telethonSession(),
  }));
  const registered = await client.call('admin.register', { accounts });
  if (!registered.success) throw new Error(JSON.stringify(registered));

  async function cycle(lengths: number[]): Promise<void> {
    const timed = async (operation: 'account.allocate' | 'account.release', body: unknown) => {
      const from = performance.now();
      const reply = await client.call(operation, body);
      lengths.push(performance.now() - from);
      return reply;
    };
    const granted = await timed('account.allocate', { user_id: userId, purpose: 'general', service_name: 'bench' });
    if (!granted.success) return;
    const { account_id, lease_id, fence } = granted.allocation as Record<string, unknown>;
    const usage_stats = { invites_sent: 0, messages_sent: 0, contacts_added: 0, success: true };
    await timed('account.release', { account_id, lease_id, fence, service_name: 'bench', usage_stats });
  }

  async function serveWhile(goesOn: (elapsedSeconds: number) => boolean): Promise<number[]> {
    const lengths: number[] = [];
    const cycles: Promise<void>[] = [];
    const startedAt = performance.now();
    for (let elapsed = 0; goesOn(elapsed); elapsed = (performance.now() - startedAt) / 1000) {
      while (cycles.length < (elapsed * rate) / 2) cycles.push(cycle(lengths));
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    await Promise.all(cycles);
    return lengths;
  }

  return {
    serve: (seconds) => serveWhile((elapsed) => elapsed < seconds),
    serveDuring: async (work) => {
      let isOver = false;
      const end = () => (isOver = true);
      work.then(end, end);
      return serveWhile(() => !isOver);
    },
    close: () => client.close(),
  };
}

/** Lengths in one line. */
export function percentiles(lengths: number[]): string {
  const sorted = lengths.toSorted((a, b) => a - b);
  const at = (share: number) =>
    (sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0).toFixed(0);
  return `p50 ${at(0.5)}  p90 ${at(0.9)}  p99 ${at(0.99)}  p99.9 ${at(0.999)}  max ${at(1)} ms`;
}
