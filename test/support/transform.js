import { transformSync } from 'esbuild';

/** Takes the types away, and judges nothing: `make check` does that. Four times as fast as the compiler itself. */
export default {
  /**
   * @param {string} source
   * @param {string} file
   */
  process: (source, file) =>
    transformSync(source, { loader: 'ts', format: 'esm', target: 'node20', sourcemap: 'inline', sourcefile: file }),
};
