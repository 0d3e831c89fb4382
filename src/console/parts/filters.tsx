import { useId } from 'preact/hooks';
import { keepInAddress, query } from '../router.js';
import { say } from '../text.js';

/** A choice that stands in the address; the first option is none. */
export function FilterChoice({
  name,
  label,
  options,
  none,
}: {
  name: string;
  label: string;
  options: readonly (readonly [value: string, text: string])[];
  /** Label of the empty choice; absent: all. */
  none?: string;
}) {
  const id = useId();
  return (
    <div class="filter">
      <label for={id}>{label}</label>
      <select
        id={id}
        value={query.value.get(name) ?? ''}
        onChange={(event) => keepInAddress({ [name]: event.currentTarget.value })}
      >
        <option value="">{none ?? say('all')}</option>
        {options.map(([value, text]) => (
          <option key={value} value={value}>
            {text}
          </option>
        ))}
      </select>
    </div>
  );
}

/** A text that stands in the address once it is entered. */
export function FilterEntry({
  name,
  label,
  kind = 'text',
  pattern,
}: {
  name: string;
  label: string;
  kind?: 'text' | 'number';
  pattern?: string;
}) {
  const id = useId();
  return (
    <div class="filter">
      <label for={id}>{label}</label>
      <input
        id={id}
        type="text"
        inputMode={kind === 'number' ? 'numeric' : undefined}
        pattern={kind === 'number' ? '[0-9]*' : pattern}
        value={query.value.get(name) ?? ''}
        onChange={(event) => {
          if (event.currentTarget.reportValidity()) keepInAddress({ [name]: event.currentTarget.value.trim() });
        }}
      />
    </div>
  );
}

/** A field of the address as a number; undefined where there is none. */
export const numberIn = (name: string): number | undefined => {
  const given = query.value.get(name);
  return given === null || !/^\d+$/.test(given) ? undefined : Number(given);
};

export const textIn = (name: string): string | undefined => query.value.get(name) ?? undefined;
