import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import type { ReplyBody } from '../../../contracts/operations.js';
import { ask, type Trouble, troubleOf } from '../api.js';
import { type Act, ActDialog } from '../parts/act.js';
import { Distance, TroubleNote, PageHead, Panel, Waiting } from '../parts/basics.js';
import { Dialog } from '../parts/dialog.js';
import { Listed } from '../parts/listed.js';
import { usePages } from '../parts/use-pages.js';
import { say, type TextKey } from '../text.js';

/** Only its age may be overridden by force, and the obstacle then says so. */
const CAN_BE_FORCED = /\bforce\b/;

type Message = ReplyBody<'admin.parked'>['messages'][number];

/** Messages that were put aside, the oldest first: what is in them, and to run them again or throw them away. */
export function ParkedPage() {
  const pages = usePages('admin.parked', { action: 'list' });
  const act = useSignal<Act | null>(null);
  const shown = useSignal<Message | null>(null);
  return (
    <>
      <PageHead title={say('nav.parked')} hint={say('parked.hint')}>
        <button type="button" onClick={pages.first.refresh}>
          {say('refresh')}
        </button>
      </PageHead>
      <Listed pages={pages} rowsOf={({ messages }) => messages} empty={say('parked.none')}>
        {(messages) => (
          <div class="panels">
            {messages.map((message) => (
              <ParkedPanel
                key={message.parked_id}
                message={message}
                choose={(given) => (act.value = given)}
                show={() => (shown.value = message)}
              />
            ))}
          </div>
        )}
      </Listed>
      {act.value && <ActDialog act={act.value} close={() => (act.value = null)} done={pages.first.refresh} />}
      {shown.value && <Body message={shown.value} close={() => (shown.value = null)} />}
    </>
  );
}

function ParkedPanel({ message, choose, show }: { message: Message; choose: (act: Act) => void; show: () => void }) {
  const { operation, code, reason, caller, parked_at: at, attempts, bytes, copies, obstacle } = message;
  return (
    <Panel title={operation} aside={<Distance at={at} />}>
      <p>
        {code !== null && <code>{code}</code>} {reason}
      </p>
      <p class="quiet">
        {say('parked.from', { caller: caller ?? '–' })} · {say('parked.size', { attempts, bytes })}
        {copies > 1 && ` · ${say('parked.copies', { n: copies })}`}
      </p>
      {obstacle !== null && (
        <p class="obstacle">
          {say('parked.obstacle')} {obstacle}
        </p>
      )}
      <div class="buttons">
        <button type="button" onClick={show}>
          {say('parked.show')}
        </button>
        {(obstacle === null || CAN_BE_FORCED.test(obstacle)) && (
          <button type="button" onClick={() => choose(parkedAct('replay', message))}>
            {say('parked.replay')}
          </button>
        )}
        <button type="button" class="danger" onClick={() => choose(parkedAct('discard', message))}>
          {say('parked.discard')}
        </button>
      </div>
    </Panel>
  );
}

const parkedAct = (action: 'replay' | 'discard', { parked_id: id, operation }: Message): Act => ({
  title: say(`parked.${action}`),
  explains: say(`parked.${action}.explain`, { operation }),
  fields:
    action === 'replay'
      ? [{ name: 'force', label: say('force'), hint: say('parked.replay.force'), kind: 'check' }]
      : [],
  isDangerous: action === 'discard',
  run: async ({ reason, force }) => {
    const { results } = await ask('admin.parked', {
      action,
      parked_ids: [id],
      reason,
      force: force === 'true' ? true : undefined,
    });
    return results
      .map(({ outcome, code, reason: why }) =>
        [say(`parked.outcome.${outcome}` satisfies TextKey), code, why].filter((part) => part !== null).join(' · '),
      )
      .join(' ');
  },
});

/** A message as it lies there, without its secrets. */
function Body({ message, close }: { message: Message; close: () => void }) {
  const body = useSignal<string | null>(null);
  const trouble = useSignal<Trouble | null>(null);
  useEffect(() => {
    ask('admin.parked', { action: 'show', parked_ids: [message.parked_id] })
      .then(({ messages: [found] }) => (body.value = found?.body ?? say('parked.outcome.not_found')))
      .catch((error: unknown) => (trouble.value = troubleOf(error)));
  }, [message.parked_id]);
  return (
    <Dialog title={`${message.operation} · ${say('parked.body')}`} close={close}>
      {trouble.value && <TroubleNote trouble={trouble.value} />}
      {body.value === null && trouble.value === null && <Waiting>{say('loading')}</Waiting>}
      {body.value !== null && <pre tabIndex={0}>{pretty(body.value)}</pre>}
      <p class="quiet">
        message_id {message.message_id ?? '–'} · correlation_id {message.correlation_id ?? '–'}
      </p>
    </Dialog>
  );
}

const pretty = (text: string): string => {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
};
