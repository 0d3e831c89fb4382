import { expect, test } from '@jest/globals';
import { judgeAudit } from '../../scripts/audit.mjs';

const vulnerability = (name: string, severity: string, fixAvailable: unknown = true) => ({
  [name]: { name, severity, range: '<2', nodes: [`node_modules/${name}`], fixAvailable },
});
const report = (...vulnerabilities: object[]) =>
  JSON.stringify({ auditReportVersion: 2, vulnerabilities: Object.assign({}, ...vulnerabilities) });

test('known faults are listed by weight, with their remedy', () => {
  const { asked, weighty, lesser } = judgeAudit(
    report(
      vulnerability('one', 'critical', { name: 'parent', version: '3.0.0' }),
      vulnerability('two', 'low'),
      vulnerability('three', 'moderate', false),
    ),
  );
  expect(asked).toBe(true);
  expect(weighty).toEqual([
    'critical one <2 (node_modules/one): mended by parent@3.0.0',
    'moderate three <2 (node_modules/three): not mended by any version: override it, or do without',
  ]);
  expect(lesser).toEqual(['low two <2 (node_modules/two): mended by npm audit fix']);
  expect(judgeAudit(report())).toEqual({ asked: true, weighty: [], lesser: [], reason: '' });
});

test.each([
  [
    'a registry that cannot tell',
    '{"message": "405 Method Not Allowed - POST https://user:pw@host/x", "statusCode": 405}',
  ],
  ['a registry that is away', '{"error": {"code": "ENOTFOUND", "summary": "getaddrinfo ENOTFOUND"}}'],
  ['a report without its list', '{"auditReportVersion": 2}'],
  ['nothing', ''],
])('%s counts as not audited', (_name, output) => {
  const verdict = judgeAudit(output);
  expect(verdict).toMatchObject({ asked: false, weighty: [], reason: expect.stringMatching(/./) });
  expect(verdict.reason).not.toContain('pw');
});
