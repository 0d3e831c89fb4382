import type { Command } from 'commander';
import type { Finding, FindingState } from '../../decide/doctor/finding.js';
import type { Tie } from '../command.js';
import type { Context } from '../context.js';
import { EXIT, type ExitCode } from '../exit.js';
import { printEntries } from '../output.js';
import type { Paint, Tone } from '../terminal/paint.js';
import { tellCount } from '../terminal/words.js';
import { askService } from './ask-service.js';

export function defineDoctor(program: Command, tie: Tie): void {
  const doctor = program
    .command('doctor')
    .description('looks for whatever is wrong, from the settings to the servers, and says what to do about it')
    .addHelpText(
      'after',
      `
It looks at PostgreSQL, Redis and RabbitMQ where the settings of the service (DATABASE_URL, …) are in its environment, and
asks the service at --url. It changes nothing. Exits 1 where something fails.`,
    );
  tie(doctor, examine);
}

async function examine(context: Context): Promise<ExitCode> {
  const { format, print, say, progress, paint } = context;
  progress('Looking …');
  // Loading the drivers of the servers takes half a second that other commands need not wait.
  const { examineServers } = await import('./examine-servers.js');
  const [servers, service] = await Promise.all([examineServers(), askService(context)]);
  progress(null);
  const findings = [...servers, ...service];
  if (format === 'table') for (const finding of findings) print(tellFinding(finding, paint));
  else printEntries(context, findings, []);
  const count = (state: FindingState): number => findings.filter((finding) => finding.state === state).length;
  say(`${count('ok')} ok, ${tellCount(count('warn'), 'warning')}, ${tellCount(count('fail'), 'failure')}`);
  return count('fail') > 0 ? EXIT.refused : EXIT.done;
}

const TONES: Readonly<Record<FindingState, Tone>> = { ok: 'good', warn: 'poor', fail: 'bad' };

function tellFinding({ where, check, state, found, cure }: Finding, paint: Paint): string {
  const line = `${paint(TONES[state], state.padEnd(4))}  ${where.padEnd(13)}  ${check.padEnd(22)}  ${found}`;
  return cure === null ? line : `${line}\n${' '.repeat(6)}${paint('strong', 'cure:')} ${cure}`;
}
