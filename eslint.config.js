import { defineConfig, globalIgnores } from 'eslint/config';
import tseslint from 'typescript-eslint';

const READS_TIME =
  'CallExpression[callee.object.name="Date"][callee.property.name="now"], ' +
  'CallExpression[callee.object.name="performance"][callee.property.name="now"], ' +
  'NewExpression[callee.name="Date"][arguments.length=0], CallExpression[callee.name="Date"]';
const IS_RANDOM = 'MemberExpression[object.name="Math"][property.name="random"]';
const READS_ENVIRONMENT =
  'MemberExpression[object.name="process"][property.name="env"], ' +
  'ImportDeclaration[source.value=/^(node:)?process$/] > ImportSpecifier[imported.name="env"]';
const BUILDS_SQL =
  'MemberExpression[property.name=/^\\$(query|execute)RawUnsafe$/], CallExpression[callee.property.name="raw"][callee.object.name="Prisma"]';

const noTime = { selector: READS_TIME, message: 'Time is a value: only src/clock.ts reads it.' };
const noRandomness = {
  selector: IS_RANDOM,
  message: 'Only src/clock.ts is unpredictable; use node:crypto for secrets and ids.',
};
const noEnvironment = {
  selector: READS_ENVIRONMENT,
  message: 'Only src/config.ts and src/cli/environment.ts read the environment.',
};
const noBuiltSql = { selector: BUILDS_SQL, message: 'SQL is a tagged $queryRaw template, never a built string.' };

export default defineConfig(
  globalIgnores(['**/dist/', 'generated/', 'coverage/', '.local/', '.dependency-cruiser.cjs']),
  tseslint.configs.strictTypeChecked,
  {
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    rules: {
      eqeqeq: 'error',
      'no-console': 'error',
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true, allowBoolean: true }],
      '@typescript-eslint/no-confusing-void-expression': 'off',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
    },
  },
  {
    files: ['src/**', 'contracts/**'],
    rules: { 'no-restricted-syntax': ['error', noTime, noRandomness, noEnvironment, noBuiltSql] },
  },
  {
    files: ['src/clock.ts'],
    rules: { 'no-restricted-syntax': ['error', noEnvironment] },
  },
  {
    files: ['src/config.ts', 'src/cli/environment.ts'],
    rules: { 'no-restricted-syntax': ['error', noTime, noRandomness] },
  },
  {
    // Blank lines and comments count: a function is read as a whole.
    files: ['src/**', 'contracts/**', 'packages/client/src/**', 'examples/**', 'scripts/**'],
    rules: { 'max-lines-per-function': ['error', { max: 70 }] },
  },
  {
    // Same answer to the same question: nothing here reaches the world. The import rules say what may be imported.
    files: ['src/decide/**', 'contracts/**'],
    rules: {
      'no-restricted-globals': [
        'error',
        'process',
        'crypto',
        'performance',
        'fetch',
        'setTimeout',
        'setInterval',
        'setImmediate',
      ],
    },
  },
  {
    // A page in a browser: its clock is the only reader of time there, and it has neither environment nor SQL.
    files: ['src/console/**'],
    rules: {
      'no-restricted-syntax': ['error', noTime, noRandomness],
      // Handlers of events return nothing, whatever the expression in them does.
      '@typescript-eslint/no-misused-promises': ['error', { checksVoidReturn: { attributes: false } }],
    },
  },
  {
    files: ['src/console/clock.ts'],
    rules: { 'no-restricted-syntax': ['error', noRandomness] },
  },
  {
    files: ['src/cli/**', 'examples/**', 'scripts/**', 'test/bench/**'],
    rules: { 'no-console': 'off' },
  },
  {
    // Both read JSON and rows as they come; a wrong guess fails at once.
    files: ['test/**', 'scripts/**'],
    rules: {
      '@typescript-eslint/no-non-null-assertion': 'off',
      '@typescript-eslint/no-unsafe-argument': 'off',
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-call': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
      '@typescript-eslint/no-unsafe-return': 'off',
      '@typescript-eslint/use-unknown-in-catch-callback-variable': 'off',
    },
  },
);
