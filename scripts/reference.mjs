#!/usr/bin/env node
// reference.mjs [FILE]: both contracts as one HTML page that needs no network (dist/reference.html).

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { fileURLToPath, pathToFileURL } from 'node:url';

const ROOT = path.resolve(import.meta.dirname, '..');

/** The page may load nothing and send nothing: a browser holds it to that. */
const POLICY = [
  "default-src 'none'",
  "script-src 'unsafe-inline'",
  "style-src 'unsafe-inline'",
  'img-src data:',
  'font-src data:',
  "base-uri 'none'",
  "form-action 'none'",
].join('; ');

/** Redoc shows its own logo beside its name, from its makers' server. */
const LOGO = 'https://cdn.redoc.ly/redoc/logo-mini-full.svg';

/** Text of a script that no HTML parser takes for its end, or for the beginning of a comment or another script. */
const inScript = (/** @type {string} */ text) => text.replaceAll(/<(?=!--|\/?script)/gi, '\\x3c');

/**
 * The page: Redoc, both contracts, and a choice between them.
 * @param {{ redoc: string, openapi: string, asyncapi: string }} parts the bundle of Redoc, and the contracts as JSON
 * @returns {string}
 */
export function buildReference({ redoc, openapi, asyncapi }) {
  const json = (/** @type {string} */ text) => JSON.stringify(JSON.parse(text)).replaceAll('<', '\\u003c');
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="${POLICY}">
<title>Account Manager: reference</title>
<style>
body { margin: 0; }
body > nav { display: flex; gap: 1rem; padding: .6rem 1rem; font: 15px sans-serif; border-bottom: 1px solid #ccc; }
body > nav [aria-current] { font-weight: bold; color: inherit; text-decoration: none; }
</style>
</head>
<body>
<nav aria-label="Door"><span>Account Manager over</span> <a href="?http">HTTP</a> <a href="?amqp">RabbitMQ</a></nav>
<main id="reference">Loading…</main>
<script type="application/json" id="http">${json(openapi)}</script>
<script type="application/json" id="amqp">${json(asyncapi)}</script>
<script type="module">
${inScript(redoc.replaceAll(LOGO, 'data:,'))}
const door = location.search === '?amqp' ? 'amqp' : 'http';
document.querySelector('a[href="?' + door + '"]').setAttribute('aria-current', 'page');
init(JSON.parse(document.getElementById(door).textContent), { disableTelemetry: true }, document.getElementById('reference'));
</script>
</body>
</html>
`;
}

/**
 * @param {string} file
 * @returns {string} the page that was written there
 */
export function writeReference(file) {
  const read = (/** @type {string} */ name) => readFileSync(path.join(ROOT, name), 'utf8');
  const redoc = fileURLToPath(import.meta.resolve('redoc/bundles/redoc.standalone.js'));
  const page = buildReference({
    redoc: readFileSync(redoc, 'utf8'),
    openapi: read('contracts/openapi.json'),
    asyncapi: read('contracts/asyncapi.json'),
  });
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, page);
  return page;
}

if (import.meta.url === pathToFileURL(path.resolve(process.argv[1] ?? '')).href) {
  const file = path.resolve(process.argv[2] ?? path.join(ROOT, 'dist/reference.html'));
  const page = writeReference(file);
  console.log(`${path.relative('', file)}: ${Math.round(Buffer.byteLength(page) / 1024)} kB`);
}
