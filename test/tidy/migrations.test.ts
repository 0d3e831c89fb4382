import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from '@jest/globals';

// docs/upgrading.md: two versions of the service run on one database, so a migration adds, and a later one takes away.

const DIRECTORY = path.resolve(import.meta.dirname, '../../prisma/migrations');
const NAMES = readdirSync(DIRECTORY).filter((name) => /^\d{14}_/.test(name));

/** Older than the rule; the versions that could not run beside each other are long gone. */
const BEFORE_THE_RULE = '20261130000000';

/** Statements under which a version that does not know of them fails. */
const TAKES_AWAY: [what: string, pattern: RegExp][] = [
  ['drops a table', /\bDROP\s+TABLE\b/i],
  ['drops a column', /\bDROP\s+COLUMN\b/i],
  ['renames', /\bRENAME\s+(TO|COLUMN|CONSTRAINT|VALUE)\b|\bRENAME\s+"/i],
  ['changes the type of a column', /\bALTER\s+COLUMN\s+\S+\s+(SET\s+DATA\s+)?TYPE\b/i],
  ['forbids null', /\bALTER\s+COLUMN\s+\S+\s+SET\s+NOT\s+NULL\b/i],
  ['takes a default away', /\bALTER\s+COLUMN\s+\S+\s+DROP\s+DEFAULT\b/i],
  ['adds a column that must be given', /\bADD\s+COLUMN\s+\S+\s+(?![^,;]*\bDEFAULT\b)[^,;]*\bNOT\s+NULL\b/i],
  ['empties a table', /^\s*TRUNCATE\b/im],
];

/** Why a version that does not know of the migration would fail; none: it would not. */
function faultsOf(sql: string): string[] {
  const statements = sql.replaceAll(/--.*$/gm, '').replaceAll(/\$\$.*?\$\$/gs, '');
  return TAKES_AWAY.flatMap(([what, pattern]) => (pattern.test(statements) ? [what] : []));
}

test.each(NAMES)('%s only adds, or its name says that it takes away', (name) => {
  if (name < BEFORE_THE_RULE) return;
  const faults = faultsOf(readFileSync(path.join(DIRECTORY, name, 'migration.sql'), 'utf8'));
  if (name.endsWith('_contract')) expect(faults).not.toEqual([]);
  else expect(faults).toEqual([]);
});

test.each([
  ['ALTER TABLE "events" DROP COLUMN "published_at";', ['drops a column']],
  ['ALTER TABLE a RENAME COLUMN b TO c;', ['renames']],
  ['ALTER TABLE a ADD COLUMN b INTEGER NOT NULL;', ['adds a column that must be given']],
  ['ALTER TABLE a ADD COLUMN b INTEGER NOT NULL DEFAULT 0, ADD COLUMN c TEXT;', []],
  ['ALTER TABLE a ALTER COLUMN b TYPE BIGINT;', ['changes the type of a column']],
  ['ALTER TABLE a ALTER COLUMN b SET NOT NULL;', ['forbids null']],
  ['CREATE TABLE a (b INTEGER NOT NULL); DROP INDEX c; -- DROP TABLE d', []],
  ['CREATE TRIGGER t BEFORE TRUNCATE ON "events" EXECUTE FUNCTION f();', []],
  ['TRUNCATE a;', ['empties a table']],
])('%s', (sql, faults) => {
  expect(faultsOf(sql)).toEqual(faults);
});
