import type { SyntaxNode } from '@lezer/common';
import { parser } from '@prometheus-io/lezer-promql';

/** A metric that a query reads. */
export interface ReadMetric {
  name: string;
  /** The innermost aggregation over it, such as `max`; null: none. */
  aggregation: string | null;
}

/** The metrics that a query reads; throws where it is no PromQL. */
export function readMetrics(query: string): ReadMetric[] {
  const found: ReadMetric[] = [];
  parser.parse(query).iterate({
    enter: ({ type, node }) => {
      if (type.isError) throw new Error(`no PromQL: ${query}`);
      if (type.name !== 'VectorSelector') return;
      const identifier = node.getChild('Identifier');
      if (identifier === null) throw new Error(`a selector without a metric: ${query}`);
      found.push({ name: textOf(query, identifier), aggregation: innermostAggregation(query, node) });
    },
  });
  return found;
}

function innermostAggregation(query: string, selector: SyntaxNode): string | null {
  for (let node = selector.parent; node !== null; node = node.parent) {
    const operator = node.name === 'AggregateExpr' ? node.firstChild : null;
    if (operator !== null) return textOf(query, operator).toLowerCase();
  }
  return null;
}

const textOf = (query: string, { from, to }: SyntaxNode): string => query.slice(from, to);
