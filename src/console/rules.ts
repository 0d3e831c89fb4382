import type { ReplyBody } from '../../contracts/operations.js';
import { now } from './clock.js';
import { language, say, sayName } from './text.js';
import { clockText, lengthText } from './time.js';

export type Explained = ReplyBody<'query.explain'>['accounts'][number];
export type Rule = Explained['rules'][number];

/** A rule that keeps an account back, or does not, in a sentence. */
export function ruleText({ rule, action_type: action, used, limit, passed, passes_at: at }: Rule): string {
  const name = sayName('rule', rule);
  const subject = action === undefined ? name : `${sayName('action', action)}: ${name}`;
  const count =
    used === undefined || limit === null || limit === undefined ? '' : ` ${say('rule.used', { used, limit })}`;
  if (passed) return `${subject}${count}`;
  return `${subject}${count} · ${at === null ? say('rule.never') : untilText(at)}`;
}

const untilText = (at: string): string =>
  say('rule.until', { at: clockText(at, now.value, true), length: lengthText(Date.parse(at) - now.value) });

/** Why an account can be granted or not, in a sentence: the service's own, which is English, or one of its rules'. */
export function summaryText(account: Explained): string {
  if (language.value === 'en') return account.summary;
  if (account.grantable) return say('why.free');
  const failing = account.rules.filter(({ passed }) => !passed);
  const parts = failing.length === 0 ? [sayName('status', account.status)] : failing.map(ruleText);
  const { restricted_by: cause } = account;
  const why = cause?.telegram_error ?? cause?.reason ?? null;
  return [...parts.slice(0, 2), ...(why === null ? [] : [why])].join('; ');
}
