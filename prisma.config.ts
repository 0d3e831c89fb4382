import process from 'node:process';
import { defineConfig } from 'prisma/config';

/** Only Prisma's command line reads this; the service is told its database by src/config.ts. */
export default defineConfig({
  schema: 'prisma/schema.prisma',
  migrations: { path: 'prisma/migrations' },
  // Not env(): `prisma generate` and `validate` need no database and must not ask for one.
  datasource: { url: process.env.DATABASE_URL ?? '' },
});
