import type { ComponentChildren } from 'preact';
import type { AccountStatus, DisabledReason } from '../../../contracts/fields.js';
import type { Trouble } from '../api.js';
import { now } from '../clock.js';
import { addressOf } from '../router.js';
import { say, sayName } from '../text.js';
import { clockText, distanceText, lengthText, utcText } from '../time.js';

/** An instant in the reader's zone; whoever hovers sees it in UTC. */
export function Time({ at, exact = false }: { at: string | null; exact?: boolean }) {
  if (at === null) return <span class="quiet">–</span>;
  return (
    <time dateTime={at} title={utcText(at)}>
      {clockText(at, now.value, exact)}
    </time>
  );
}

/** How far away an instant is; moves on by itself. */
export function Distance({ at }: { at: string | null }) {
  if (at === null) return <span class="quiet">–</span>;
  return (
    <time dateTime={at} title={`${clockText(at, now.value, true)} · ${utcText(at)}`}>
      {distanceText(at, now.value)}
    </time>
  );
}

export function Status({ status, reason }: { status: AccountStatus; reason?: DisabledReason | null }) {
  return (
    <span class={`status status-${status}`}>
      {sayName('status', status)}
      {reason ? ` · ${sayName('disabled', reason)}` : ''}
    </span>
  );
}

export const shortId = (id: string): string => id.slice(0, 8);

export function AccountLink({ id }: { id: string }) {
  return (
    <a class="id" href={addressOf(`/accounts/${id}`)} title={id}>
      {shortId(id)}
    </a>
  );
}

/** A failure, explained by its code, with the remedy. */
export function TroubleNote({ trouble, again }: { trouble: Trouble; again?: () => void }) {
  const { issues } = (trouble.details ?? {}) as { issues?: { path: string; message: string }[] };
  return (
    <div class="failure" role="alert">
      <p>
        <code>{trouble.code}</code> {trouble.message}
      </p>
      {issues?.map(({ path, message }) => (
        <p key={path}>
          <code>{path}</code> {message}
        </p>
      ))}
      <p class="cure">
        {say(`cure.${trouble.code}`)}
        {trouble.retry_after_ms !== undefined &&
          ` ${say('cure.after', { length: lengthText(trouble.retry_after_ms) })}`}
      </p>
      {again && trouble.retryable && (
        <button type="button" onClick={again}>
          {say('again')}
        </button>
      )}
    </div>
  );
}

/** Says what is being waited for. */
export const Waiting = ({ children }: { children: ComponentChildren }) => (
  <p class="waiting" role="status">
    {children}
  </p>
);

export const Empty = ({ children }: { children: ComponentChildren }) => <p class="empty">{children}</p>;

/** A part of a page with a heading. */
export function Panel({
  title,
  aside,
  children,
  wide = false,
}: {
  title: string;
  aside?: ComponentChildren;
  children: ComponentChildren;
  wide?: boolean;
}) {
  return (
    <section class={wide ? 'panel wide' : 'panel'}>
      <header>
        <h2>{title}</h2>
        {aside && <div class="aside">{aside}</div>}
      </header>
      {children}
    </section>
  );
}

export function PageHead({ title, hint, children }: { title: string; hint?: string; children?: ComponentChildren }) {
  return (
    <div class="page-head">
      <h1>{title}</h1>
      {hint && <p class="quiet">{hint}</p>}
      {children && <div class="tools">{children}</div>}
    </div>
  );
}
