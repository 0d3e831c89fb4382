/**
 * Keeps a label that callers choose from filling the memory of whoever scrapes: the first `max` distinct values pass
 * as they are, every later one becomes `other`.
 */
export const createBoundedLabel = (max: number): ((value: string) => string) => {
  const known = new Set<string>();
  return (value) => {
    if (known.has(value)) return value;
    if (known.size >= max) return 'other';
    known.add(value);
    return value;
  };
};
