import { readFileSync } from 'node:fs';
import { classifyError } from '../../src/decide/telegram-errors/classify-error.js';

/**
 * Texts a second on one core: those of the test tables bare, within a traceback and within a log's record. Counted is
 * the CPU time of this process, and shown the best round of many: how busy the machine is counts as little as can be.
 */
const ROUNDS = 40;

const readTexts = (name: string): string[] =>
  readFileSync(new URL(`../decide/data/${name}`, import.meta.url), 'utf8')
    .trimEnd()
    .split('\n')
    .slice(1)
    .map((line) => (line.split('\t')[1] ?? '').replaceAll('\\n', '\n'));

const texts = ['telegram-error-messages.tsv', 'telegram-error-forms.tsv'].flatMap(readTexts);
const CORPORA: Readonly<Record<string, readonly string[]>> = {
  'as libraries print them': texts,
  'every name of the table': readTexts('telegram-errors.tsv').map((name) => `RPCError 400: ${name} (caused by x.y)`),
  'within a traceback': texts.map(
    (text) =>
      `Traceback (most recent call last):\n  File "/srv/bot/a.py", line 3, in add\n    await client(request)\n${text}`,
  ),
  "within a log's record": texts.map((text) =>
    JSON.stringify({ level: 50, time: 1, err: { type: 'Error', message: text, stack: text }, msg: 'failed' }),
  ),
};

for (const [what, corpus] of Object.entries(CORPORA)) {
  const rounds = Array.from({ length: ROUNDS }, () => {
    const startedAt = process.cpuUsage();
    for (const errorMessage of corpus) classifyError({ errorMessage });
    const { user, system } = process.cpuUsage(startedAt);
    return (corpus.length / (user + system)) * 1e6;
  }).sort((a, b) => b - a);
  const [best = 0, median = 0] = [rounds[0], rounds[ROUNDS / 2]].map((each) => Math.round(each ?? 0));
  const length = Math.round(corpus.join('').length / corpus.length);
  console.log(
    `${what.padEnd(24)} ${corpus.length} texts of ${length} characters: ${best}/s, half of the rounds above ${median}/s`,
  );
}
