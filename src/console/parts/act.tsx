import { useSignal } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import { useId } from 'preact/hooks';
import type { Trouble } from '../api.js';
import { troubleOf } from '../api.js';
import { say } from '../text.js';
import { TroubleNote, Waiting } from './basics.js';
import { Dialog } from './dialog.js';
import { readForm } from './read-form.js';

export interface ActField {
  name: string;
  label: string;
  hint?: string;
  kind: 'text' | 'check' | 'secret' | 'instant';
  isRequired?: boolean;
}

export type ActValues = Record<string, string>;

export interface Act {
  title: string;
  /** Effect of the action, in a sentence. */
  explains: string;
  fields: readonly ActField[];
  /** Absent: asked for. null: the operation keeps none. */
  reason?: null;
  isDangerous?: boolean;
  /** Does it; answers what has happened, in a sentence. */
  run: (values: ActValues) => Promise<ComponentChildren>;
}

/** Asks for what an action needs, does it, and shows what has happened. */
export function ActDialog({ act, close, done }: { act: Act; close: () => void; done: () => void }) {
  const state = useSignal<'asking' | 'doing' | 'done'>('asking');
  const outcome = useSignal<ComponentChildren>(null);
  const trouble = useSignal<Trouble | null>(null);
  const fields = act.reason === null ? act.fields : [...act.fields, reasonField()];

  const submit = (event: SubmitEvent): void => {
    const values = readForm(event);
    state.value = 'doing';
    trouble.value = null;
    act
      .run(values)
      .then((text) => {
        outcome.value = text;
        state.value = 'done';
        done();
      })
      .catch((error: unknown) => {
        trouble.value = troubleOf(error);
        state.value = 'asking';
      });
  };

  if (state.value === 'done') {
    return (
      <Dialog title={act.title} close={close}>
        <div class="outcome" role="status">
          {outcome.value}
        </div>
        <div class="buttons">
          <button type="button" class="primary" autofocus onClick={close}>
            {say('close')}
          </button>
        </div>
      </Dialog>
    );
  }
  return (
    <Dialog title={act.title} close={close}>
      <form onSubmit={submit}>
        <p>{act.explains}</p>
        {fields.map((field) => (
          <Field key={field.name} field={field} />
        ))}
        {trouble.value && <TroubleNote trouble={trouble.value} />}
        {state.value === 'doing' && <Waiting>{say('doing')}</Waiting>}
        <div class="buttons">
          <button type="button" onClick={close}>
            {say('cancel')}
          </button>
          <button
            type="submit"
            class={act.isDangerous ? 'primary danger' : 'primary'}
            disabled={state.value === 'doing'}
          >
            {act.title}
          </button>
        </div>
      </form>
    </Dialog>
  );
}

const reasonField = (): ActField => ({
  name: 'reason',
  label: say('reason'),
  hint: say('reason.hint'),
  kind: 'text',
  isRequired: true,
});

function Field({ field: { name, label, hint, kind, isRequired = false } }: { field: ActField }) {
  const id = useId();
  const common = { id, name, required: isRequired, 'aria-describedby': hint ? `${id}-hint` : undefined };
  return (
    <div class={kind === 'check' ? 'field check' : 'field'}>
      <label for={id}>{label}</label>
      {kind === 'check' && <input {...common} type="checkbox" value="true" />}
      {kind === 'text' && <input {...common} type="text" maxLength={300} autocomplete="off" />}
      {kind === 'instant' && <input {...common} type="datetime-local" step={1} />}
      {kind === 'secret' && <input {...common} type="password" maxLength={4096} autocomplete="off" />}
      {hint && (
        <p class="hint" id={`${id}-hint`}>
          {hint}
        </p>
      )}
    </div>
  );
}
