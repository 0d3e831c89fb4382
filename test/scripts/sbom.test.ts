import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from '@jest/globals';
import { productionPackages, reduceToProduction } from '../../scripts/sbom.mjs';

const component = (name: string, version: string) => ({
  name,
  version,
  'bom-ref': `${name}@${version}`,
  purl: `pkg:npm/${name}@${version}`,
});
const everything = {
  metadata: { component: component('some-folder', '1.0.0') },
  components: [component('a', '1.0.0'), component('a', '2.0.0'), component('tester', '3.0.0')],
  dependencies: [
    { ref: 'some-folder@1.0.0', dependsOn: ['a@1.0.0', 'tester@3.0.0'] },
    { ref: 'tester@3.0.0', dependsOn: ['a@2.0.0'] },
  ],
};
const lock = {
  packages: {
    '': { version: '1.0.0' },
    'node_modules/a': { version: '1.0.0' },
    'node_modules/tester': { version: '3.0.0', dev: true },
    'node_modules/tester/node_modules/a': { version: '2.0.0', dev: true },
  },
};

test('packages for development only are left out, by their version', () => {
  const sbom = reduceToProduction(everything, { lock, manifest: { name: 'product', dependencies: { a: '^1' } } });
  expect(sbom.components).toEqual([component('a', '1.0.0')]);
  expect(sbom.dependencies).toEqual([{ ref: 'some-folder@1.0.0', dependsOn: ['a@1.0.0'] }]);
  expect(sbom.metadata.component.name).toBe('product');
});

test('a production dependency that is not in it is an error', () => {
  const manifest = { name: 'product', dependencies: { a: '^1', b: '^1' } };
  expect(() => reduceToProduction(everything, { lock, manifest })).toThrow('not in the SBOM: b');
  const longer = { packages: { ...lock.packages, 'node_modules/@scope/c': { version: '4.0.0' } } };
  expect(() => reduceToProduction(everything, { lock: longer, manifest: { name: '', dependencies: {} } })).toThrow(
    'not in the SBOM: @scope/c@4.0.0',
  );
});

test('every package that package.json names for production counts as such', () => {
  const read = (name: string) => JSON.parse(readFileSync(path.resolve(import.meta.dirname, '../..', name), 'utf8'));
  const production = [...productionPackages(read('package-lock.json'))].map((entry) => entry.replace(/@[^@]+$/, ''));
  expect(production).toEqual(expect.arrayContaining(Object.keys(read('package.json').dependencies)));
  expect(production).not.toContain('jest');
});
