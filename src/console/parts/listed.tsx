import type { ComponentChildren } from 'preact';
import type { OperationName, ReplyBody } from '../../../contracts/operations.js';
import { say } from '../text.js';
import { Answered } from './answered.js';
import { Empty, TroubleNote } from './basics.js';
import type { Pages } from './use-pages.js';

/** Shows the rows of all pages that have come, how many there are, and a way to the next. */
export function Listed<K extends OperationName, Row>({
  pages,
  rowsOf,
  empty,
  children,
}: {
  pages: Pages<K>;
  rowsOf: (page: ReplyBody<K>) => readonly Row[];
  /** Said where there is none. */
  empty: string;
  children: (rows: readonly Row[]) => ComponentChildren;
}) {
  return (
    <Answered answer={pages.first}>
      {(first) => {
        const rows = [first, ...pages.later].flatMap(rowsOf);
        const { total, total_is_at_least: isMore } = first as { total: number; total_is_at_least: boolean };
        if (rows.length === 0) return <Empty>{empty}</Empty>;
        return (
          <>
            <p class="quiet">{say(isMore ? 'total.more' : 'total', { n: total })}</p>
            {children(rows)}
            {pages.trouble && <TroubleNote trouble={pages.trouble} again={pages.more ?? undefined} />}
            {pages.more && (
              <button type="button" class="more" onClick={pages.more}>
                {say('more')}
              </button>
            )}
          </>
        );
      }}
    </Answered>
  );
}
