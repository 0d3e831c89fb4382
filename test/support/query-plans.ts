import { jest } from '@jest/globals';
import pg from 'pg';

/** A statement as the driver sent it. */
export interface SentStatement {
  text: string;
  values: unknown[];
}

/** Runs `work` and answers every statement that this process sent meanwhile. */
export async function captureStatements(work: () => Promise<unknown>): Promise<SentStatement[]> {
  const spy = jest.spyOn(pg.Client.prototype, 'query');
  try {
    await work();
    return (spy.mock.calls as unknown[][]).flatMap(([sent]) =>
      typeof sent === 'object' && sent !== null && 'text' in sent ? [toStatement(sent as Partial<SentStatement>)] : [],
    );
  } finally {
    spy.mockRestore();
  }
}

const toStatement = ({ text = '', values = [] }: Partial<SentStatement>): SentStatement => ({ text, values });

/** One node of PostgreSQL's JSON plan; the fields that tests look at. */
export interface PlanNode {
  'Node Type': string;
  'Relation Name'?: string;
  'Index Name'?: string;
  'Plan Rows': number;
  'Actual Rows': number;
  'Actual Loops': number;
  'Rows Removed by Filter'?: number;
  'Shared Hit Blocks': number;
  'Shared Read Blocks': number;
  Plans?: PlanNode[];
}

export interface QueryPlan {
  /** Every node, the root first. */
  nodes: PlanNode[];
  /** Pages touched by the whole statement. */
  blocks: number;
  /** Rows that were fetched from tables, those thrown away by a filter included. */
  rowsFetched: number;
  /** As EXPLAIN prints it. */
  text: string;
}

/** Runs the statement under EXPLAIN ANALYZE and takes its effects back. `execution`: the statement, or an EXECUTE of it. */
export async function explain(client: pg.Client, execution: string, values: unknown[] = []): Promise<QueryPlan> {
  await client.query('BEGIN');
  try {
    const asText = await client.query<{ 'QUERY PLAN': string }>(
      `EXPLAIN (ANALYZE, BUFFERS, TIMING OFF) ${execution}`,
      values,
    );
    await client.query('ROLLBACK; BEGIN');
    const { rows } = await client.query<{ 'QUERY PLAN': { Plan: PlanNode }[] }>(
      `EXPLAIN (ANALYZE, BUFFERS, TIMING OFF, FORMAT JSON) ${execution}`,
      values,
    );
    const root = rows[0]?.['QUERY PLAN'][0]?.Plan;
    if (root === undefined) throw new Error('EXPLAIN gave no plan');
    const nodes = flatten(root);
    return {
      nodes,
      blocks: root['Shared Hit Blocks'] + root['Shared Read Blocks'],
      rowsFetched: nodes
        .filter((node) => node['Relation Name'] !== undefined && node['Node Type'] !== 'ModifyTable')
        .reduce(
          (sum, node) => sum + (node['Actual Rows'] + (node['Rows Removed by Filter'] ?? 0)) * node['Actual Loops'],
          0,
        ),
      text: asText.rows.map((row) => row['QUERY PLAN']).join('\n'),
    };
  } finally {
    await client.query('ROLLBACK');
  }
}

const flatten = (node: PlanNode): PlanNode[] => [node, ...(node.Plans ?? []).flatMap(flatten)];

/** A value as it stands in an EXECUTE. */
export function toLiteral(value: unknown): string {
  if (Array.isArray(value)) return pg.escapeLiteral(`{${value.map((element) => `"${element}"`).join(',')}}`);
  return pg.escapeLiteral(typeof value === 'string' ? value : JSON.stringify(value));
}
