// The wait of a stem cell: this runtime was started before it was known whose it will be, and asks. What functions
// need most often is loaded meanwhile. https://nodejs.org/api/process.html#processenv
import { createRequire } from 'node:module';
import { RuntimeAPI } from './runtime_api.mjs';

const require = createRequire(import.meta.url);
const ARGUMENT = '--martlet-stem';
const WARM = ['async_hooks', 'buffer', 'crypto', 'events', 'fs', 'fs/promises', 'http', 'https', 'os', 'path', 'stream',
  'stream/promises', 'timers/promises', 'url', 'util', 'zlib'];

/** Becomes the function's runtime; returns when the directory and the variables are its own, with the connection. */
export async function becomeSomebodys() {
  if (process.argv.at(-1) !== ARGUMENT) return undefined;
  process.argv.pop();
  for (const name of WARM) require(`node:${name}`);
  await import('data:text/javascript,export default 0'); // the loader of modules is made by its first use
  const api = new RuntimeAPI(process.env.AWS_LAMBDA_RUNTIME_API);
  const [directory, ...variables] = (await new Promise((resolve) => { api.order(resolve); })).split('\0');
  variables.pop(); // what is behind the last NUL
  for (const name of Object.keys(process.env)) delete process.env[name];
  for (const variable of variables) {
    const equals = variable.indexOf('=');
    process.env[variable.slice(0, equals)] = variable.slice(equals + 1);
  }
  process.chdir(directory);
  return api;
}
