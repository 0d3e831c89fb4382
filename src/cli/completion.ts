import { Argument, type Command, type Option } from 'commander';

/** One place on the command line: which words may follow, and what an option's value may be. */
interface Place {
  /** `accounts list`; empty: right behind the program. */
  path: string;
  /** Verbs or nouns. */
  words: readonly string[];
  options: readonly string[];
  /** Values, by option. */
  values: ReadonlyMap<string, readonly string[]>;
}

const SHELLS = ['bash', 'zsh', 'fish'] as const;

export function defineCompletion(program: Command): void {
  program
    .command('completion')
    .description('what the shell needs to complete commands: source <(account-manager completion bash)')
    .addArgument(new Argument('<shell>', 'for which shell').choices(SHELLS))
    .action((shell: (typeof SHELLS)[number]) => {
      const places = findPlaces(program, '');
      process.stdout.write(WRITERS[shell](places));
    });
}

function findPlaces(command: Command, path: string): Place[] {
  const commands = command.commands.filter((one) => one.name() !== 'help');
  const options = [...command.options, ...(command.parent === null ? [] : rootOf(command).options)].filter(
    ({ hidden }) => !hidden,
  );
  const choices = command.registeredArguments.flatMap(({ argChoices }) => argChoices ?? []);
  return [
    {
      path,
      words: [...commands.map((one) => one.name()), ...choices],
      options: [...new Set([...options.flatMap(flagsOf), '--help'])],
      values: new Map(
        options.flatMap((option) => flagsOf(option).map((flag) => [flag, option.argChoices ?? []] as const)),
      ),
    },
    ...commands.flatMap((one) => findPlaces(one, `${path} ${one.name()}`.trim())),
  ];
}

const rootOf = (command: Command): Command => (command.parent === null ? command : rootOf(command.parent));

const flagsOf = ({ short, long }: Option): string[] => [short, long].flatMap((flag) => flag ?? []);

/** The path is found by walking the words; what is no noun or verb at its place is passed over. */
const writeBash = (places: readonly Place[]): string => `# bash completion of account-manager
_account_manager() {
  local current="\${COMP_WORDS[COMP_CWORD]}" previous="\${COMP_WORDS[COMP_CWORD-1]}" path="" word
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case "$path/$word" in
${pathCases(places, '      ')}
    esac
  done
  local words="" options="" values=""
  case "$path" in
${places.map((place) => `    ${quote(place.path)}) words=${quote(place.words.join(' '))}; options=${quote(place.options.join(' '))} ;;`).join('\n')}
  esac
  case "$previous" in
${valueCases(places, '    ')}
  esac
  if [ -n "$values" ]; then words="$values"
  elif [ "\${current#-}" != "$current" ]; then words="$options"
  fi
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -o default -F _account_manager account-manager
`;

const writeZsh = (places: readonly Place[]): string => `#compdef account-manager
# zsh completion of account-manager
_account_manager() {
  local current="\${words[CURRENT]}" previous="\${words[CURRENT-1]}" path_="" word
  for word in "\${(@)words[2,CURRENT-1]}"; do
    case "$path_/$word" in
${pathCases(places, '      ').replaceAll('path=', 'path_=')}
    esac
  done
  local found="" options="" values=""
  case "$path_" in
${places.map((place) => `    ${quote(place.path)}) found=${quote(place.words.join(' '))}; options=${quote(place.options.join(' '))} ;;`).join('\n')}
  esac
  case "$previous" in
${valueCases(places, '    ')}
  esac
  if [ -n "$values" ]; then found="$values"
  elif [[ "$current" == -* ]]; then found="$options"
  fi
  if [ -n "$found" ]; then compadd -- \${=found}; else _files; fi
}
compdef _account_manager account-manager
`;

const writeFish = (places: readonly Place[]): string => {
  const lines = places.flatMap(({ path, words, options, values }) => {
    const here = `-n ${quote(`__account_manager_at ${quote(path)}`)}`;
    return [
      ...(words.length > 0 ? [`complete -c account-manager -f ${here} -a ${quote(words.join(' '))}`] : []),
      ...options
        .filter((flag) => flag.startsWith('--'))
        .map((flag) => {
          const given = values.get(flag) ?? [];
          const tail = given.length > 0 ? ` -x -a ${quote(given.join(' '))}` : '';
          return `complete -c account-manager ${here} -l ${flag.slice(2)}${tail}`;
        }),
    ];
  });
  return `# fish completion of account-manager
function __account_manager_at
  set -l path
  for word in (commandline -opc)[2..]
    set -l next (string trim "$path $word")
    contains -- "$next" ${places.flatMap(({ path }) => (path === '' ? [] : [quote(path)])).join(' ')}
    and set path $next
  end
  test "$path" = "$argv[1]"
end
${lines.join('\n')}
`;
};

const WRITERS = { bash: writeBash, zsh: writeZsh, fish: writeFish };

/** Nothing that is written needs more: names and choices are plain words. */
const quote = (text: string): string => (text.includes("'") ? JSON.stringify(text) : `'${text}'`);

const pathCases = (places: readonly Place[], indent: string): string =>
  places
    .filter(({ path }) => path !== '')
    .map(({ path }) => {
      const parent = path.split(' ').slice(0, -1).join(' ');
      return `${indent}${quote(`${parent}/${path.split(' ').at(-1) ?? ''}`)}) path=${quote(path)} ;;`;
    })
    .join('\n');

function valueCases(places: readonly Place[], indent: string): string {
  const values = new Map<string, readonly string[]>();
  for (const place of places) {
    for (const [flag, given] of place.values) if (given.length > 0) values.set(flag, given);
  }
  return [...values].map(([flag, given]) => `${indent}${flag}) values=${quote(given.join(' '))} ;;`).join('\n');
}
