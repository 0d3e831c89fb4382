import { Command, Option } from 'commander';
import { defineAccounts } from './accounts/accounts.js';
import { defineAlerts } from './alerts.js';
import type { Tie } from './command.js';
import { defineCompletion } from './completion.js';
import { type CommonOptions, createContext } from './context.js';
import { defineDoctor } from './doctor/doctor.js';
import { defineEvents } from './events.js';
import type { ExitCode } from './exit.js';
import { EXIT } from './exit.js';
import { defineJobs } from './jobs.js';
import { defineLeases } from './leases.js';
import { defineParked } from './parked.js';
import { definePolicy } from './policy.js';
import { defineRecoveries } from './recoveries.js';
import { defineStatus } from './status.js';
import { FORMATS } from './terminal/print.js';
import { defineWait } from './accounts/wait.js';
import { defineWatch } from './watch.js';
import { VERSION } from '../version.js';

const AFTER_HELP = `
Where the service is and who asks: --url and --token, else ACCOUNT_MANAGER_URL and ACCOUNT_MANAGER_TOKEN, else the
profile: --profile, ACCOUNT_MANAGER_PROFILE or ~/.config/account-manager/profile.json, such as
{"url": "https://accounts.example", "token": "…"} with mode 600. Else http://127.0.0.1:3000.

Exit codes: 0 done, 1 refused or partly done, 2 wrong usage, 3 unreachable, 4 no rights, 130 interrupted.`;

/** The command as a tree. `onExit` gets the exit code of what was run; `signal` aborts when the user interrupts it. */
export function createProgram(signal: AbortSignal, onExit: (code: ExitCode) => void): Command {
  const program = new Command('account-manager')
    .description('Operates an account manager over HTTP: its accounts, leases, jobs and messages.')
    .version(VERSION, '--version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .addOption(new Option('-o, --output <form>', 'form of the data').choices(FORMATS).default('table'))
    .option('--url <url>', 'where the service is')
    .option('--token <token>', 'bearer token of the caller; others on this machine may see it, unlike a profile')
    .option('--profile <file>', 'file with url and token')
    .addHelpText('after', AFTER_HELP)
    .showHelpAfterError('(--help tells more)')
    .exitOverride();

  const tie: Tie = (command, work) => {
    command.action(async (...given: unknown[]) => {
      const options = command.optsWithGlobals<CommonOptions>();
      // The last two are the options and the command itself.
      const code = await work(createContext(options, signal), options as never, ...(given.slice(0, -2) as never[]));
      onExit(code ?? EXIT.done);
    });
  };

  defineStatus(program, tie);
  defineAccounts(program, tie);
  defineLeases(program, tie);
  defineRecoveries(program, tie);
  defineAlerts(program, tie);
  defineJobs(program, tie);
  defineParked(program, tie);
  defineEvents(program, tie);
  definePolicy(program, tie);
  defineWait(program, tie);
  defineWatch(program, tie);
  defineDoctor(program, tie);
  defineCompletion(program);
  return program;
}
