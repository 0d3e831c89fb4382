/**
 * Imports point one way: contracts ← decide ← store·redis·broker ← operations ← doors·jobs ← app.
 * Each rule names what a folder may import; anything else inside the project is an error.
 */

/** Folders that anything above contracts and decide may import: they know nothing of accounts. */
const COMMON = ['contracts', 'src/decide', 'src/telemetry', 'src/clock', 'src/coalesce-writes'];
const STORES = [...COMMON, 'src/store', 'src/redis', 'src/broker', 'src/telegram', 'generated'];
/** Folders that answer a request. */
const REQUESTS = ['src/requests', 'src/accounts', 'src/operations'];

/** Folders that the command's doctor and the export of sealed sessions use. */
const DOCTOR = ['src/broker', 'src/config', 'src/redis', 'src/store', 'src/telemetry'];

/** @param {string} from @param {string[]} to */
const mayImport = (from, to) => ({
  name: `${from.replace(/^src\//, '')}-imports`,
  comment: `${from} may import only: ${[from, ...to].join(', ')}`,
  severity: 'error',
  from: { path: `^${from}(/|\\.)` },
  to: {
    path: '^(contracts|src|packages|test|examples|scripts|generated|prisma)(/|\\.)',
    pathNot: `^(${[from, ...to].join('|')})(/|\\.)`,
  },
});

/** @param {string} from @param {string} packages a pattern @param {string[]} except files with a rule of their own */
const mayUse = (from, packages, except = []) => ({
  name: `${from.replace(/^src\//, '')}-packages`,
  comment: `${from} may use only these packages and modules of Node: ${packages}`,
  severity: 'error',
  from: { path: `^${from}(/|\\.)`, pathNot: except.map((file) => `^${file}\\.`) },
  to: { dependencyTypes: ['npm', 'npm-dev', 'core'], pathNot: packages },
});

module.exports = {
  forbidden: [
    {
      name: 'no-circles',
      comment: 'imports of types too: a type that two files share stands in one that both import',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    { name: 'no-unresolved', severity: 'error', from: {}, to: { couldNotResolve: true } },
    {
      name: 'no-development-packages',
      comment: 'what runs in production stands under dependencies',
      severity: 'error',
      // The console is bundled: nothing of it is installed with the service.
      from: { path: '^(contracts|src)/', pathNot: '^src/console/' },
      to: { dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown'], dependencyTypesNot: ['type-only'] },
    },
    mayImport('contracts', []),
    mayUse('contracts', 'node_modules/zod/'),
    mayImport('src/decide', ['contracts']),
    mayUse('src/decide', 'node_modules/zod/', ['src/decide/telegram-errors/table', 'src/decide/jobs/cadence']),
    mayUse('src/decide/jobs/cadence', 'node_modules/croner/'),
    // Reads its data, a table that is a part of the program, once when it loads: the same answers ever after.
    mayUse('src/decide/telegram-errors/table', '^fs$'),
    mayImport('src/clock', []),
    mayImport('src/coalesce-writes', []),
    mayImport('src/version', []),
    mayImport('src/config', COMMON),
    mayImport('src/telemetry', ['contracts', 'src/clock', 'src/version']),
    mayImport('src/telegram', COMMON),
    mayImport('src/store', [...COMMON, 'generated']),
    mayImport('src/redis', COMMON),
    mayImport('src/broker', [...COMMON, 'src/store', 'generated']),
    mayImport('src/accounts', [...STORES, 'src/requests']),
    mayImport('src/operations', [...STORES, 'src/requests', 'src/accounts']),
    mayImport('src/requests', [...STORES, 'src/accounts', 'src/operations']),
    mayImport('src/doors', [...STORES, ...REQUESTS]),
    mayImport('src/jobs', [...STORES, ...REQUESTS]),
    mayImport('src/health', [...STORES, ...REQUESTS, 'src/doors']),
    // Speaks HTTP like any other caller; only the doctor and an export of sessions look at the servers themselves.
    mayImport('src/cli', ['contracts', 'src/clock', 'src/decide', 'src/version', ...DOCTOR]),
    {
      name: 'few-look-at-servers',
      severity: 'error',
      from: { path: '^src/cli/', pathNot: '^src/cli/(doctor/examine-servers|export/seal-(sessions|key))\\.' },
      to: { path: DOCTOR.map((folder) => `^${folder}(/|\\.)`) },
    },
    mayUse(
      'src/cli',
      '^(crypto|fs|fs/promises|path|readline/promises|timers/promises)$|node_modules/(@clack/prompts|cli-table3|commander|csv-parse|pg|@types/pg|sql.js|@types/sql.js|zod)/',
    ),
    mayImport('src/app', ['src', 'contracts', 'generated']),
    // Published by itself: of the contract only what needs no package.
    mayImport('packages/client', ['contracts/envelope', 'contracts/topology']),
    mayUse('packages/client/src', 'node_modules/(amqplib|amqp-connection-manager)/|^(node:)?[a-z_/]+$'),
    // A page in a browser: of the service it knows the contract alone, and of that the types.
    mayImport('src/console', ['contracts']),
    {
      name: 'console-knows-types',
      comment: 'the schemas would bring zod into the page',
      severity: 'error',
      from: { path: '^src/console/' },
      to: { path: '^contracts/', dependencyTypesNot: ['type-only'] },
    },
    mayUse('src/console', 'node_modules/(preact|@preact/signals|uplot)/'),
    {
      name: 'nobody-imports-the-console',
      severity: 'error',
      from: { pathNot: '^src/console/' },
      to: { path: '^src/console/' },
    },
    // Written as an integrator would write them; only the demonstration around them knows this checkout.
    mayImport('examples/services', ['packages', 'examples']),
    mayImport('examples/demo', ['contracts', 'packages', 'examples', 'scripts']),
    { name: 'nobody-imports-main', severity: 'error', from: {}, to: { path: '^src/main\\.' } },
    {
      name: 'no-tests-in-production',
      severity: 'error',
      from: { path: '^(contracts|src)/' },
      to: { path: '^(test|examples|scripts)/' },
    },
  ],
  options: {
    exclude: { path: '^packages/[^/]+/dist/' },
    doNotFollow: { path: ['node_modules', 'generated'] },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default', 'types'],
      extensions: ['.ts', '.tsx', '.mts', '.js', '.mjs', '.json'],
    },
  },
};
