import type { ComponentChildren } from 'preact';

export interface Column<Row> {
  label: string;
  show: (row: Row) => ComponentChildren;
  /** Numbers stand at the right. */
  isNumber?: boolean;
}

/** A table; on a narrow screen each row is a card whose fields carry their column's name. */
export function Table<Row>({
  name,
  columns,
  rows,
  keyOf,
}: {
  /** Caption of the table for screen readers. */
  name: string;
  columns: readonly Column<Row>[];
  rows: readonly Row[];
  keyOf: (row: Row) => string;
}) {
  return (
    <table aria-label={name}>
      <thead>
        <tr>
          {columns.map(({ label, isNumber }) => (
            <th key={label} scope="col" class={isNumber ? 'number' : undefined}>
              {label}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {rows.map((row) => (
          <tr key={keyOf(row)}>
            {columns.map(({ label, show, isNumber }) => (
              <td key={label} data-label={label} class={isNumber ? 'number' : undefined}>
                {show(row)}
              </td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  );
}
