import { get } from 'node:http';

// Asks and listens as so many consoles do that show their first page. A process of its own: what readers cost
// themselves is not the service's.

const [url = '', count = '0'] = process.argv.slice(2);
const prefix = `${url}/api/v1/account-manager`;
const from = new Date(Date.now() - 48 * 3_600_000).toISOString();

/** Requests of the page, with the seconds between two of each. */
const QUESTIONS: readonly [path: string, everySeconds: number][] = [
  ['/status', 2],
  ['/alerts?limit=20', 30],
  ['/alerts?limit=1', 30],
  ['/jobs?runs=0', 60],
  ['/accounts/summary?limit=1', 60],
  [`/series?names=accounts&names=leases&names=refusals&names=errors&names=requests&from=${from}`, 60],
];
const STREAM = '/events/stream?types=account.flood_wait,account.blocked,account.disabled,account.recovered';

let failed = 0;
const ask = async (path: string): Promise<void> => {
  try {
    const response = await fetch(`${prefix}${path}`);
    await response.arrayBuffer();
    if (!response.ok) failed += 1;
  } catch {
    failed += 1;
  }
};

/** Opens one; answers what closes it. Its questions fall at any time, as those of pages that stay open do. */
function open(): () => void {
  const timers = QUESTIONS.map(([path, everySeconds]) => {
    const timer = { next: setTimeout(() => again(), Math.random() * everySeconds * 1000) };
    const again = (): void => {
      void ask(path);
      timer.next = setTimeout(again, everySeconds * 1000);
    };
    return timer;
  });
  const stream = get(`${prefix}${STREAM}`, (response) => {
    if (response.statusCode !== 200) failed += 1;
    response.resume();
  });
  stream.on('error', () => undefined);
  return () => {
    for (const { next } of timers) clearTimeout(next);
    stream.destroy();
  };
}

let opened: (() => void)[] = [];
/** They were not all opened in the same instant. */
const SPREAD_MS = 2_000;
process.on('message', (word) => {
  void (async () => {
    if (word === 'close') opened.forEach((close) => close());
    else {
      opened = [];
      for (let n = 0; n < Number(count); n++) {
        opened.push(open());
        await new Promise((resolve) => setTimeout(resolve, SPREAD_MS / Number(count)));
      }
    }
    process.send?.(failed);
  })();
});
