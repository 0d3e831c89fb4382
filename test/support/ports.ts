export { freePort } from '../../scripts/servers/process.mjs';
