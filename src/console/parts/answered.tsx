import type { ComponentChildren } from 'preact';
import type { OperationName, ReplyBody } from '../../../contracts/operations.js';
import { say } from '../text.js';
import type { Answer } from '../use-answer.js';
import { TroubleNote, Waiting } from './basics.js';

/** Shows an answer; before it comes, what is waited for; where it fails, why, above what was known before. */
export function Answered<K extends OperationName>({
  answer,
  children,
}: {
  answer: Answer<K>;
  children: (value: ReplyBody<K>) => ComponentChildren;
}) {
  return (
    <>
      {answer.trouble && <TroubleNote trouble={answer.trouble} again={answer.refresh} />}
      {answer.value !== null && children(answer.value)}
      {answer.value === null && answer.trouble === null && <Waiting>{say('loading')}</Waiting>}
    </>
  );
}
