import { type OperationName, OPERATIONS, type ReplyBody } from '../../contracts/operations.js';
import type { OperationsHarness } from './operations.js';

/** Calls an operation; throws unless it succeeds with a reply that is exactly the contract's. */
export async function ask<K extends OperationName>(
  { succeed }: OperationsHarness,
  operation: K,
  ...request: [body: Record<string, unknown>, request?: Parameters<OperationsHarness['succeed']>[2]]
): Promise<ReplyBody<K>> {
  const { success: _, ...fields } = (await succeed(operation, ...request)) as Record<string, unknown>;
  return OPERATIONS[operation].reply.parse(fields) as ReplyBody<K>;
}
