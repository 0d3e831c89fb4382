import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { classifyError } from '../../src/decide/telegram-errors/classify-error.js';
import { TABLE } from '../../src/decide/telegram-errors/table.js';
import type { ErrorReport } from '../../src/decide/telegram-errors/types.js';

/** Further reports of each kind that was handled wrongly once: `[kind, report, class effect seconds end]`. */
const ROWS = readFileSync(new URL('data/telegram-error-kinds.tsv', import.meta.url), 'utf8')
  .trimEnd()
  .split('\n')
  .slice(1)
  .map((line) => line.split('\t') as [kind: string, report: string, expected: string]);

/** Class, effect, seconds and the end of a block in one line. */
function summarise(report: ErrorReport): string {
  const { errorClass, effect, seconds } = classifyError(report);
  const kind = effect.kind === 'disable' ? effect.reason : effect.kind;
  const until = effect.kind === 'block' && effect.until !== undefined ? new Date(effect.until).toISOString() : '';
  return [errorClass, kind, seconds ?? '', until].filter((each) => each !== '').join(' ');
}

const strikes = (report: ErrorReport): boolean => ['block', 'disable'].includes(classifyError(report).effect.kind);

test.each([...new Set(ROWS.map(([kind]) => kind))])('every report of its kind is read right: %s', (kind) => {
  for (const [, text, expected] of ROWS.filter(([each]) => each === kind)) {
    const report = JSON.parse(text) as ErrorReport;
    const came = expected === 'safe' && !strikes(report) ? 'safe' : summarise(report);
    expect([text, came]).toEqual([text, expected]);
  }
});

const STRIKING = TABLE.filter(({ outcome }) => !['none', 'count_error', 'wait'].includes(outcome));
const NAMES = STRIKING.map(({ name }) => name).filter((name) => name.includes('_'));
const SENTENCES = STRIKING.flatMap(({ sentences }) => sentences)
  .map((sentence) =>
    sentence
      .replace(/ \{.*\}$/, '')
      .replace('…', '')
      .replaceAll('#', '7'),
  )
  .filter((sentence) => sentence.split(' ').length > 2);
const KNOWN = new Set(TABLE.flatMap(({ name, aliases }) => [name, ...aliases]));

/** A text with one letter more, less or another one, at a place of its own. */
const altered = (texts: readonly string[], letters: RegExp): fc.Arbitrary<string> =>
  fc
    .tuple(
      fc.constantFrom(...texts),
      fc.nat(),
      fc.constantFrom('cut', 'doubled', 'another'),
      fc.stringMatching(letters),
    )
    .map(([text, place, how, letter]) => {
      const at = place % text.length;
      const [before, character, after] = [text.slice(0, at), text.charAt(at), text.slice(at + 1)];
      return { cut: before + after, doubled: before + character + character + after, another: before + letter + after }[
        how
      ];
    });

test('a name that is altered in one letter strikes in no place of a report', () => {
  fc.assert(
    fc.property(altered(NAMES, /^[A-Z]$/), (name) => {
      // An underscore that is cut or doubled is another spelling of the name; a line may be the beginning of another.
      fc.pre(!NAMES.some((known) => known.replaceAll('_', '') === name.replaceAll('_', '')) && !KNOWN.has(name));
      const reports = [
        { errorMessage: name },
        { errorType: name },
        { errorCode: name },
        { errorMessage: `RPCError 400: ${name} (caused by messages.SendMessage)` },
        { errorMessage: JSON.stringify({ error: { code: 400, message: name } }) },
      ];
      expect([name, reports.map(strikes)]).toEqual([name, reports.map(() => false)]);
    }),
    { numRuns: 1000 },
  );
});

test('a sentence that is altered in one letter strikes in no place of a text', () => {
  fc.assert(
    fc.property(altered(SENTENCES, /^[a-z]$/), (sentence) => {
      const plain = (text: string): string => text.toLowerCase().replace(/[^a-z]/g, '');
      fc.pre(!SENTENCES.some((known) => plain(sentence).startsWith(plain(known))));
      const reports = [
        { errorMessage: sentence },
        { errorMessage: `${sentence} (caused by SendMessageRequest)` },
        { errorMessage: JSON.stringify({ ok: false, error_code: 400, description: sentence }) },
      ];
      // Words of its own may be in it, such as "account is limited" of @SpamBot.
      fc.pre(!/account is now limited|account is currently limited/.test(sentence));
      expect([sentence, reports.map(strikes)]).toEqual([sentence, reports.map(() => false)]);
    }),
    { numRuns: 1000 },
  );
});

test('a code strikes alone, and not beside anything unknown', () => {
  fc.assert(
    fc.property(fc.constantFrom(401, -404), fc.stringMatching(/^[a-z]{4,12}( [a-z]{4,12}){0,3}$/), (code, words) => {
      fc.pre(!/unauthorized|error|code|http|status|telegram|server|says|transport/.test(words));
      expect(strikes({ errorCode: code })).toBe(true);
      expect([words, strikes({ errorCode: code, errorMessage: words })]).toEqual([words, false]);
    }),
    { numRuns: 300 },
  );
});

test('a wait beside a block is kept with it, in whatever order and form they are told', () => {
  const seconds = fc.integer({ min: 1, max: 1_209_600 });
  const forms: ((wait: number) => ErrorReport)[] = [
    (wait) => ({ errorMessage: `PEER_FLOOD\nFLOOD_WAIT_${wait}` }),
    (wait) => ({ errorMessage: `FLOOD_WAIT_${wait}\nPEER_FLOOD` }),
    (wait) => ({ errorMessage: `2026-11-20 08:00:01 ERROR PEER_FLOOD\n2026-11-20 08:00:09 ERROR FLOOD_WAIT_${wait}` }),
    (wait) => ({ errorMessage: 'PEER_FLOOD', seconds: wait }),
    (wait) => ({ errorType: 'peer_flood', seconds: wait }),
    (wait) => ({ errorMessage: JSON.stringify({ error: 'PEER_FLOOD', retry_after: wait }) }),
    (wait) => ({ errorMessage: `PEER_FLOOD: A wait of ${wait} seconds is required (caused by SendMessageRequest)` }),
  ];
  fc.assert(
    fc.property(seconds, fc.constantFrom(...forms), (wait, form) => {
      const report = form(wait);
      expect([report, classifyError(report).effect]).toEqual([report, { kind: 'block', waitSeconds: wait }]);
    }),
    { numRuns: 200 },
  );
});

test('a hostile text takes time by its length, whatever it repeats and in whatever it stands', () => {
  const unit = fc
    .array(
      fc.oneof(
        fc.constantFrom(...ROWS.map(([, text]) => text.slice(0, 12))),
        fc.constantFrom(
          '{',
          '"',
          '\\',
          '\n',
          '\t',
          ' ',
          '«',
          '(',
          '[',
          '_',
          '%41',
          '&amp;',
          '\ud83d',
          '\0',
          '\u001b[',
          '| ',
          '^\n',
        ),
        fc.constantFrom('request:\n', '1) a\n', '  1 | a\n', 'half an hour ', 'wait 1', 'sendA(', '<text>', 'a.b '),
      ),
      { minLength: 1, maxLength: 3 },
    )
    .map((parts) => parts.join(''));
  const places: ((text: string) => string)[] = [
    (text) => text,
    (text) => `${text}\nPEER_FLOOD`,
    (text) => JSON.stringify({ error: text }),
    (text) => JSON.stringify({ errors: text.match(/[^]{1,100}/g) }),
  ];
  classifyError({ errorMessage: 'PEER_FLOOD' });
  fc.assert(
    fc.property(unit, fc.constantFrom(...places), (repeated, place) => {
      const text = place(repeated.repeat(Math.ceil(200_000 / repeated.length)).slice(0, 200_000));
      // CPU time of this process: how busy the machine is counts little. The bound is 50 ms on a machine of its own. The
      // compiler and the collector work beside it at times, so a slow text is tried three times.
      const cpuMs = (): number => {
        const startedAt = process.cpuUsage();
        classifyError({ errorMessage: text });
        const { user, system } = process.cpuUsage(startedAt);
        return (user + system) / 1000;
      };
      const isFast = [1, 2, 3].some(() => cpuMs() < 250);
      expect([repeated, isFast]).toEqual([repeated, true]);
    }),
    { numRuns: 100 },
  );
});
