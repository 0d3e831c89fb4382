import { register } from 'node:module';
import process from 'node:process';
import { ModuleMocker } from 'jest-mock';
import { register as registerTypeScript } from 'tsx/esm/api';

const TIMEOUT = Symbol.for('TEST_TIMEOUT_SYMBOL');

const { console } = globalThis;
const exit = process.exit.bind(process);

registerTypeScript();
register('./hooks.js', import.meta.url);

/**
 * The process itself is the environment of the tests, not a virtual machine in it. The test files of a worker share the
 * modules, which are loaded once a worker instead of once a file: that took a third of all processor time.
 */
export default class ProcessEnvironment {
  global = globalThis;
  #mocker = new ModuleMocker(globalThis);

  setup() {
    const mocker = this.#mocker;
    Reflect.deleteProperty(globalThis, TIMEOUT);
    Object.assign(globalThis, {
      jest: {
        fn: mocker.fn.bind(mocker),
        spyOn: mocker.spyOn.bind(mocker),
        restoreAllMocks: mocker.restoreAllMocks.bind(mocker),
        /** @param {number} ms */
        setTimeout: (ms) => Object.assign(globalThis, { [TIMEOUT]: ms }),
      },
    });
    return Promise.resolve();
  }

  /** Takes back what the file and Jest have put in place of things of the process. */
  teardown() {
    this.#mocker.restoreAllMocks();
    Object.assign(globalThis, { console });
    process.exit = exit;
    return Promise.resolve();
  }

  getVmContext() {
    return null;
  }
}
