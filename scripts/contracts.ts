// npm run contracts: writes the documents that are made from the contract and the declarations of the service.

import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { DOCUMENTS } from './contracts/documents.js';

const ROOT = path.resolve(import.meta.dirname, '..');

for (const [file, build] of Object.entries(DOCUMENTS)) {
  await writeFile(path.join(ROOT, file), build());
  console.log(file);
}
