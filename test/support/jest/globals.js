/**
 * The globals of the test file that runs now: modules stay when Jest has gone on to another file.
 * @param {string} name
 */
const current = (name) =>
  new Proxy(() => {}, {
    apply: (_, __, parameters) => Reflect.get(globalThis, name)(...parameters),
    get: (_, key) => Reflect.get(Reflect.get(globalThis, name), key),
  });

export const afterAll = current('afterAll');
export const afterEach = current('afterEach');
export const beforeAll = current('beforeAll');
export const beforeEach = current('beforeEach');
export const describe = current('describe');
export const expect = current('expect');
export const it = current('it');
export const jest = current('jest');
export const test = current('test');
