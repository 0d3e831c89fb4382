import { z } from 'zod';
import { OPERATIONS, type OperationName } from '../../contracts/operations.js';

export type JsonSchema = z.core.JSONSchema.JSONSchema;
export type Draft = 'draft-7' | 'draft-2020-12';

/** A schema of the contract as JSON Schema: what is sent, not what parsing makes of it. */
export function toSchema(schema: z.ZodType, target: Draft): JsonSchema {
  const { $schema: _, ...described } = z.toJSONSchema(schema, {
    target,
    io: 'input',
    override: ({ zodSchema, jsonSchema }) => {
      if (zodSchema instanceof z.ZodObject) addDefaults(zodSchema, jsonSchema);
    },
  });
  return described;
}

/** Leaving a field out shows what an absent field becomes: `withDefault` hides it in a transform. */
function addDefaults(object: z.ZodObject, described: JsonSchema): void {
  for (const [name, field] of Object.entries(object.shape)) {
    const property = described.properties?.[name];
    const absent = z.safeParse(field, undefined);
    if (typeof property === 'object' && absent.success && absent.data !== undefined) {
      property.default = absent.data as JsonSchema['default'];
    }
  }
}

/** A success of the operation, whole. */
export const successSchema = (operation: OperationName): z.ZodObject =>
  z.strictObject({ success: z.literal(true), ...OPERATIONS[operation].reply.shape });

/** `An account for invitations` → `an-account-for-invitations`, as a key. */
export const slugOf = (name: string): string =>
  name
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^-|-$/g, '');
