import { expect, test } from '@jest/globals';
import { firstUrl, splitUrls } from '../../src/decide/messages/split-urls.js';

test.each([
  ['amqp://a', ['amqp://a']],
  ['amqp://a,amqp://b:5673/v', ['amqp://a', 'amqp://b:5673/v']],
  [' amqps://u:p@a/v ,\n amqps://u:p@b/v', ['amqps://u:p@a/v', 'amqps://u:p@b/v']],
  ['amqp://u:one,two@a/v,w,amqp://u:pw@b/v,w', ['amqp://u:one,two@a/v,w', 'amqp://u:pw@b/v,w']],
])('%j', (list, urls) => {
  expect(splitUrls(list)).toEqual(urls);
  expect(firstUrl(list).hostname).toBe('a');
});
