#!/usr/bin/env node
// Asks the package registry for known vulnerabilities of what package-lock.json installs.
//
//   status 0  asked, and nothing of weight is known
//   status 1  a vulnerability of weight is known: each is named with what mends it
//   status 2  the registry did not answer, so nothing is known either way; 0 with AUDIT_OFFLINE=1, and as loud

import { spawnSync } from 'node:child_process';
import path from 'node:path';
import process from 'node:process';
import { pathToFileURL } from 'node:url';

/** Lesser ones are told and let pass. */
const WEIGHTY = new Set(['moderate', 'high', 'critical']);

/**
 * @typedef {object} Verdict
 * @property {boolean} asked whether the registry has answered
 * @property {string[]} weighty one line each
 * @property {string[]} lesser
 * @property {string} reason why it has not answered
 *
 * @typedef {{ name: string, severity: string, range: string, nodes: string[], fixAvailable: boolean | { name: string, version: string } }} Vulnerability
 *
 * @param {string} output of `npm audit --json`
 * @returns {Verdict}
 */
export function judgeAudit(output) {
  /** @type {{ auditReportVersion?: number, vulnerabilities?: Record<string, Vulnerability>, message?: string, error?: { summary?: string } }} */
  let report = {};
  try {
    report = JSON.parse(output);
  } catch {
    // No report at all is told below.
  }
  const { vulnerabilities, message, error } = report;
  // A failure has a JSON form as well; only a report counts as an answer.
  if (report.auditReportVersion === undefined || vulnerabilities === undefined) {
    const reason = message ?? (error?.summary || 'npm audit wrote no report');
    // An address inside the message may hold credentials, and says less than the status before it.
    return { asked: false, weighty: [], lesser: [], reason: reason.replace(/https?:\S+/g, 'the registry') };
  }
  const known = Object.values(vulnerabilities);
  const linesOf = (/** @type {boolean} */ isWeighty) =>
    known.filter(({ severity }) => WEIGHTY.has(severity) === isWeighty).map(describe);
  return { asked: true, weighty: linesOf(true), lesser: linesOf(false), reason: '' };
}

/** @param {Vulnerability} vulnerability */
function describe({ name, severity, range, nodes, fixAvailable }) {
  const mended =
    typeof fixAvailable === 'object'
      ? `mended by ${fixAvailable.name}@${fixAvailable.version}`
      : fixAvailable
        ? 'mended by npm audit fix'
        : 'not mended by any version: override it, or do without';
  return `${severity} ${name} ${range} (${nodes.join(', ')}): ${mended}`;
}

/** @returns {number} the exit status */
function audit() {
  const { stdout, error } = spawnSync('npm', ['audit', '--json'], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  if (error) throw error;
  const { asked, weighty, lesser, reason } = judgeAudit(stdout);
  if (!asked) {
    console.error('================================ NOT AUDITED ================================');
    console.error(`The registry did not tell of vulnerabilities: ${reason}`);
    console.error('Nothing is known of the packages installed here. Run this where the registry can be asked.');
    console.error('=============================================================================');
    return process.env.AUDIT_OFFLINE === '1' ? 0 : 2;
  }
  for (const line of [...weighty, ...lesser]) console.error(line);
  console.log(`audited: ${weighty.length} of weight, ${lesser.length} lesser`);
  return weighty.length > 0 ? 1 : 0;
}

if (import.meta.url === pathToFileURL(path.resolve(process.argv[1] ?? '')).href) process.exitCode = audit();
