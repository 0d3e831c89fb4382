/** The entries of a form that is being sent, trimmed; keeps the browser from sending it itself. */
export function readForm(event: SubmitEvent): Record<string, string> {
  event.preventDefault();
  const fields = [...new FormData(event.currentTarget as HTMLFormElement)];
  return Object.fromEntries(
    fields.flatMap(([name, value]) => (typeof value === 'string' ? [[name, value.trim()] as const] : [])),
  );
}
