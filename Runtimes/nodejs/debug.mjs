// Starts the bootstrap under Node's inspector and waits for a debugger (`martlet debug`). The inspector's port is open
// inside of the sandbox only; debug_relay.mjs, a process of its own because a breakpoint halts this one, leads to it.
import { spawn } from 'node:child_process';
import inspector from 'node:inspector';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
inspector.open(0, '127.0.0.1');
const { port } = new URL(inspector.url());
const relay = spawn(process.execPath, [join(here, 'debug_relay.mjs'), process.env.MARTLET_DEBUG, port], { env: {}, stdio: 'ignore' });
relay.unref(); // a function with nothing left to do ends its invocation
delete process.env.MARTLET_DEBUG;
inspector.waitForDebugger();
await import(pathToFileURL(join(here, 'bootstrap.mjs')).href);
