#!/usr/bin/env node
// Copies what the compiler leaves out beside its output. By list: whatever else lies there, as a key or an .env of
// somebody's, must not get into dist and so into the image.

import { copyFileSync } from 'node:fs';
import path from 'node:path';

const ASSETS = ['contracts/asyncapi.json', 'contracts/openapi.json'];

const root = path.resolve(import.meta.dirname, '..');
for (const asset of ASSETS) copyFileSync(path.join(root, asset), path.join(root, 'dist', asset));
