import { expect, test } from '@jest/globals';
import { parseProxy } from '../../src/telegram/parse-proxy.js';

const secret = '0123456789abcdef0123456789abcdef';
const socks = { ip: 'proxy.example', port: 1080, socksType: 5 };
const mtproxy = { ip: '10.0.0.1', port: 443, MTProxy: true, secret };

test('no proxy is no proxy', () => {
  for (const stored of [undefined, null, '']) expect(parseProxy(stored)).toEqual({ ok: true, proxy: undefined });
});

test.each<[stored: unknown, proxy: Record<string, unknown>]>([
  ['socks5://proxy.example:1080', socks],
  ['socks5h://proxy.example:1080', socks],
  ['socks://proxy.example:1080', socks],
  ['socks4://proxy.example:1080', { ...socks, socksType: 4 }],
  ['socks5://us%40er:p%3Ass@proxy.example:1080', { ...socks, username: 'us@er', password: 'p:ss' }],
  ['socks5://user:100%@proxy.example:1080', { ...socks, username: 'user', password: '100%' }],
  ['socks5://[2001:db8::1]:1080', { ...socks, ip: '2001:db8::1' }],
  ['tg://socks?server=proxy.example&port=1080&user=a&pass=b', { ...socks, username: 'a', password: 'b' }],
  ['https://t.me/socks?server=proxy.example&port=1080', socks],
  [`mtproxy://10.0.0.1:443?secret=${secret}`, mtproxy],
  [`tg://proxy?server=10.0.0.1&port=443&secret=${secret}`, mtproxy],
  [`https://t.me/proxy?server=10.0.0.1&port=443&secret=dd${secret}`, { ...mtproxy, secret: `dd${secret}` }],
  [socks, socks],
  [
    { ...socks, port: '1080', username: 'a', password: 'b', extra: 1 },
    { ...socks, username: 'a', password: 'b' },
  ],
  [mtproxy, mtproxy],
  [
    { ...mtproxy, secret: 'ASNFZ4mrze8BI0VniavN7w==' },
    { ...mtproxy, secret: 'ASNFZ4mrze8BI0VniavN7w==' },
  ],
  [{ url: 'socks5://proxy.example:1080' }, socks],
])('%j is taken as GramJS takes it', (stored, proxy) => {
  expect(parseProxy(stored)).toEqual({ ok: true, proxy });
});

test.each<[stored: unknown]>([
  ['http://proxy.example:8080'],
  ['proxy.example:1080'],
  ['socks5://proxy.example'],
  ['socks5://proxy.example:0'],
  ['socks5://proxy.example:99999'],
  ['tg://other?server=a&port=1'],
  ['https://example.org/proxy?server=10.0.0.1&port=443'],
  ['mtproxy://10.0.0.1:443'],
  [`mtproxy://10.0.0.1:443?secret=ee${secret}6578616d706c65`],
  ['mtproxy://10.0.0.1:443?secret=0123'],
  [{ ip: 'proxy.example', port: 1080 }],
  [{ ...socks, socksType: 6 }],
  [{ ...socks, ip: 'a b' }],
  [5],
  [true],
  [[]],
])('%j is refused, and not quoted', (stored) => {
  const route = parseProxy(stored);
  expect(route.ok).toBe(false);
  if (!route.ok) expect(route.message).not.toContain('proxy.example');
});
