import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

const require = createRequire(import.meta.url);
const HANDLERS = Symbol.for('EVENT_HANDLERS');

let imports = 0;

/** Loads test files as Node.js loads any module. The rest of Jest's own runtime (mocked modules, coverage) is not needed. */
export default class ProcessRuntime {
  /**
   * Jest's part of a test file: loaded anew, since it holds the tests of one file.
   * @param {string} file
   * @returns {unknown}
   */
  requireInternalModule(file) {
    Reflect.deleteProperty(globalThis, HANDLERS);
    Reflect.deleteProperty(require.cache, file);
    return require(file);
  }

  /**
   * @param {string} file
   * @returns {unknown}
   */
  requireModule(file) {
    return require(file);
  }

  unstable_shouldLoadAsEsm() {
    return true;
  }

  /**
   * The query makes a module of its own of what sets up each test file.
   * @param {string} file
   */
  async unstable_importModule(file) {
    // Node.js itself maps stacks to the sources, unless somebody else says that he does.
    Reflect.deleteProperty(Error, 'prepareStackTrace');
    await import(`${pathToFileURL(file).href}?import=${++imports}`);
  }

  getSourceMaps() {
    return new Map();
  }

  getAllCoverageInfoCopy() {}

  setGlobalsForRuntime() {}

  enterTestCode() {}

  leaveTestCode() {}

  teardown() {}
}
