/** Tests run in the processes of Jest's workers, as any program does. Servers come up once, in the global set-up. */
export default {
  testEnvironment: '<rootDir>/test/support/jest/environment.js',
  runtime: '<rootDir>/test/support/jest/runtime.js',
  transform: {},
  testSequencer: '<rootDir>/test/support/jest/sequencer.js',
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
  globalSetup: '<rootDir>/test/support/global-setup.js',
  globalTeardown: '<rootDir>/test/support/global-teardown.js',
  setupFilesAfterEnv: ['<rootDir>/test/support/within-one-day.ts'],
  // Bounds what hangs; a machine on which others work as well is no fault.
  testTimeout: 120_000,
  // More than the two processors: many tests wait for slow events (a broker that starts, a lease that ends).
  maxWorkers: 3,
};
