/** Tests are ES modules; `npm test` passes --experimental-vm-modules. Servers come up once, in the global set-up. */
export default {
  testEnvironment: 'node',
  extensionsToTreatAsEsm: ['.ts'],
  roots: ['<rootDir>/test'],
  testMatch: ['**/*.test.ts'],
  // They take many minutes: `make faults`, `make faults-cluster`.
  testPathIgnorePatterns: [
    '/node_modules/',
    ...(process.env.EVERY_FAULT ? [] : ['/faults/(every-fault|cluster)']),
    // Starts a Prometheus: `make watch-test`.
    ...(process.env.WATCH ? [] : ['/test/watching/']),
    // Builds the image, in some minutes, as root: `make image-test`.
    ...(process.env.IMAGE_TEST ? [] : ['/test/image/']),
    // Draws pictures: `make console-show`.
    ...(process.env.SHOW_CONSOLE ? [] : ['/console/show']),
    // Guides that take long: `make drills`.
    ...(process.env.DRILLS ? [] : ['/test/drills/']),
  ],
  moduleNameMapper: {
    '^(\\.{1,2}/.*)\\.js$': '$1',
    '^@account-manager/client$': '<rootDir>/packages/client/src/index.ts',
  },
  transform: { '^.+\\.ts$': '<rootDir>/test/support/transform.js' },
  globalSetup: '<rootDir>/test/support/global-setup.js',
  globalTeardown: '<rootDir>/test/support/global-teardown.js',
  setupFilesAfterEnv: ['<rootDir>/test/support/within-one-day.ts'],
  // Bounds what hangs; a machine on which others work as well is no fault.
  testTimeout: 120_000,
  // More than the two processors: many tests wait for slow events (a broker that starts, a lease that ends).
  maxWorkers: 3,
};
