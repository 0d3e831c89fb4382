import { readFileSync } from 'node:fs';
import sequencer from '@jest/test-sequencer';

/** Its types describe the CommonJS module, which has it under `default`. */
const Sequencer = /** @type {typeof sequencer.default} */ (/** @type {unknown} */ (sequencer));

/** A file that starts processes takes long, whatever its size, which is all that Jest knows of it in a fresh clone. */
const STARTS_PROCESSES = /(startInstallation|openService|startService|startPrivateServer|runCommand|openConsole)\(/;

/** Long files first: one that begins last would be waited for alone. */
export default class LongestFirst extends Sequencer {
  /**
   * @param {Parameters<InstanceType<typeof Sequencer>['sort']>[0]} tests
   * @override
   */
  async sort(tests) {
    const isLong = (/** @type {string} */ file) => Number(STARTS_PROCESSES.test(readFileSync(file, 'utf8')));
    return (await super.sort(tests)).toSorted((one, other) => isLong(other.path) - isLong(one.path));
  }
}
