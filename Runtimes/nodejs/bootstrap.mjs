// Martlet's Node.js runtime: the loop between the Runtime API and a handler, Node 16 and later.
//
// What a function can see (context, console, error documents, exit codes) is AWS's. What it cannot see is small: one
// kept socket (runtime_api.mjs). While a handler runs the socket is unreferenced, so that an empty event loop can be
// told from a busy one.
import fs from 'node:fs';
import Module, { createRequire } from 'node:module';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import util from 'node:util';
import { useCompiled } from './compiled.mjs';
import { RuntimeAPI, writeOut } from './runtime_api.mjs';
import { becomeSomebodys } from './stem.mjs';

/** The connection on which a stem cell has waited, for the first `/next`. */
const kept = await becomeSomebodys();

const require = createRequire(import.meta.url);
const { env } = process;
const NODE_MAJOR = Number(process.versions.node.split('.')[0]);
const CALLBACKS_SUPPORTED = NODE_MAJOR < 24;
const XRAY_CAUSE_BYTES = 60 * 1024; // longer causes are left out: a header has to carry them
const EXIT_UNHANDLED_REJECTION = 128;
const EXIT_UNCAUGHT_EXCEPTION = 129;
const STREAMING = Symbol.for('aws.lambda.runtime.handler.streaming');
const HIGH_WATER_MARK = Symbol.for('aws.lambda.runtime.handler.streaming.highWaterMark');
const HTTP_INTEGRATION = 'application/vnd.awslambda.http-integration-response';

let invocation; // the one under way
let requestId; // of the last invocation: late log lines carry it
let tenantId;
/** How many invocations run at the same time, on one event loop; 0 = one, and whatever this file says of "the" one. */
const CONCURRENCY = Number(env.AWS_LAMBDA_MAX_CONCURRENCY ?? 0);
/** Where there are several: which of them the running code belongs to. */
const shared = CONCURRENCY ? new (require('node:async_hooks').AsyncLocalStorage)() : undefined;
const ownId = () => (shared ? shared.getStore()?.id : requestId);
const ownTenant = () => (shared ? shared.getStore()?.headers['lambda-runtime-aws-tenant-id'] : tenantId);

// --- Errors -------------------------------------------------------------------------------------------------

/** A failure of the runtime's own, with the type AWS gives it. */
class Fault extends Error {
  constructor(type, message) {
    super(message);
    Object.defineProperty(this, 'name', { value: type, enumerable: false });
    this.stack = this.stack.replace(/^Error(?=:|\n|$)/, type);
  }
}

class UnhandledPromiseRejection extends Fault {
  constructor(reason, promise) {
    super('Runtime.UnhandledPromiseRejection', String(reason));
    this.reason = reason;
    this.promise = promise;
  }
}

const isError = (value) => util.types.isNativeError(value) || (value instanceof Error)
  || (value && value.name && value.message && value.stack);

/** The error document a caller gets. */
function errorDocument(error) {
  try {
    if (isError(error)) {
      return {
        errorType: String(error.name).replace(/\x7F/g, '%7F'),
        errorMessage: String(error.message).replace(/\x7F/g, '%7F'),
        trace: String(error.stack).replace(/\x7F/g, '%7F').split('\n'),
      };
    }
    return { errorType: typeof error, errorMessage: String(error), trace: [] };
  } catch {
    const errorMessage = 'callback called with Error argument, but there was a problem while retrieving one or more of '
      + 'its message, name, and stack';
    return { errorType: 'handled', errorMessage, trace: [] };
  }
}

/** The error as the text log shows it: one line of JSON after a tab. */
function errorLine(error) {
  const members = (_, value) => (isError(value)
    ? {
      errorType: value.name,
      errorMessage: value.message,
      code: value.code,
      ...value,
      stack: value.stack?.split('\n'),
    }
    : value);
  try {
    return `\t${JSON.stringify(error ?? null, members)}`;
  } catch {
    return `\t${JSON.stringify(errorDocument(error))}`;
  }
}

function xrayCause(error) {
  if (!isError(error)) return undefined;
  const stack = String(error.stack).split('\n').slice(1).map((line) => {
    const match = /^\s*at (?:(.*) \()?(?:file:\/\/)?(.*?):(\d+)(?::\d+)?\)?$/.exec(line);
    return match && { path: match[2], line: Number(match[3]), label: match[1] ?? 'anonymous' };
  }).filter(Boolean);
  const exception = { type: error.name, message: error.message, stack };
  const paths = [...new Set(stack.map((frame) => frame.path))];
  return { working_directory: process.cwd(), exceptions: [exception], paths };
}

const escapeCharacter = (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
const headerText = (text) => text.replace(/[^ -~]/g, escapeCharacter);

/** Tells the Runtime API of an error. */
function postError(api, target, error, done) {
  const document = errorDocument(error);
  const cause = JSON.stringify(xrayCause(error));
  let head = `Lambda-Runtime-Function-Error-Type: ${headerText(document.errorType)}\r\n`;
  if (cause && cause.length < XRAY_CAUSE_BYTES) {
    head += `Lambda-Runtime-Function-XRay-Error-Cause: ${headerText(cause)}\r\n`;
  }
  api.post(target, JSON.stringify(document), done, head);
}

// --- Logs ---------------------------------------------------------------------------------------------------

const LOGS_JSON = env.AWS_LAMBDA_LOG_FORMAT?.toUpperCase() === 'JSON';
// The values are also the level bits of a log frame's type.
const LEVELS = { TRACE: 0x04, DEBUG: 0x08, INFO: 0x0c, WARN: 0x10, ERROR: 0x14, FATAL: 0x18 };
const LOWEST_LEVEL = LEVELS[env.AWS_LAMBDA_LOG_LEVEL?.toUpperCase()] ?? 0;
const LOG_DESCRIPTOR = env._LAMBDA_TELEMETRY_LOG_FD === undefined ? undefined : Number(env._LAMBDA_TELEMETRY_LOG_FD);
delete env._LAMBDA_TELEMETRY_LOG_FD;

function writeLog(level, time, line) {
  if (LOG_DESCRIPTOR === undefined) {
    writeOut(`${LOGS_JSON ? line : line.replace(/\n/g, '\r')}\n`);
    return;
  }
  const text = Buffer.from(`${line}\n`);
  const frame = Buffer.alloc(16);
  frame.writeUInt32BE((LOGS_JSON ? 0xa55a0002 : 0xa55a0003) + LEVELS[level]);
  frame.writeUInt32BE(text.length, 4);
  frame.writeBigInt64BE(BigInt(time.getTime()) * 1000n, 8);
  writeOut(Buffer.concat([frame, text]), LOG_DESCRIPTOR);
}

const jsonMembers = (_, value) => (value instanceof Error
  ? {
    errorType: value.constructor?.name ?? 'UnknownError',
    errorMessage: value.message,
    stackTrace: typeof value.stack === 'string' ? value.stack.split('\n') : [],
    ...value,
  }
  : value);

function jsonLine(level, time, parameters) {
  const line = { timestamp: time.toISOString(), level, requestId: ownId(), tenantId: ownTenant() };
  if (parameters.length === 1) {
    [line.message] = parameters;
    try {
      return JSON.stringify(line, jsonMembers);
    } catch {
      line.message = util.format(line.message);
      return JSON.stringify(line);
    }
  }
  line.message = util.format(...parameters);
  const error = parameters.find((parameter) => parameter instanceof Error);
  if (error) {
    line.errorType = error.constructor?.name ?? 'UnknownError';
    line.errorMessage = error.message;
    line.stackTrace = typeof error.stack === 'string' ? error.stack.split('\n') : [];
  }
  return JSON.stringify(line);
}

function logger(level) {
  if (LEVELS[level] < LOWEST_LEVEL) return () => {};
  return (...parameters) => {
    const time = new Date();
    const line = LOGS_JSON
      ? jsonLine(level, time, parameters)
      : `${time.toISOString()}\t${ownId()}\t${level}\t${util.format(...parameters)}`;
    writeLog(level, time, line);
  };
}

function patchConsole() {
  console.trace = logger('TRACE');
  console.debug = logger('DEBUG');
  console.info = logger('INFO');
  console.log = console.info;
  console.warn = logger('WARN');
  console.error = logger('ERROR');
  console.fatal = logger('FATAL');
}

const writeErrorLog = logger('ERROR');
const logError = (title, error) => (LOGS_JSON ? writeErrorLog(error) : writeErrorLog(title, errorLine(error)));

// --- Finding the handler ------------------------------------------------------------------------------------

async function loadHandler(taskRoot, handler) {
  if (handler.includes('..')) {
    throw new Fault('Runtime.MalformedHandlerName', `'${handler}' is not a valid handler name. `
      + 'Use absolute paths when specifying root directories in handler names.');
  }
  const base = path.basename(handler);
  const folder = handler.slice(0, handler.indexOf(base));
  const dot = base.indexOf('.');
  if (dot < 0) throw new Fault('Runtime.MalformedHandlerName', 'Bad handler');
  const exported = await loadModule(taskRoot, folder, base.slice(0, dot));
  const found = base.slice(dot + 1).split('.').reduce((value, name) => value?.[name], exported);
  if (!found) throw new Fault('Runtime.HandlerNotFound', `${handler} is undefined or not exported`);
  if (typeof found !== 'function') throw new Fault('Runtime.HandlerNotFound', `${handler} is not a function`);
  if (found[STREAMING] !== undefined && found[STREAMING] !== 'response') {
    throw new Fault('Runtime.MalformedStreamingHandler', 'Only response streaming is supported.');
  }
  if (!CALLBACKS_SUPPORTED && found[STREAMING] === undefined && found.length >= 3) {
    throw new Fault('Runtime.CallbackHandlerDeprecated', 'ERROR: AWS Lambda has removed support for callback-based '
      + 'function handlers starting with Node.js 24. You need to modify this function to use a supported handler '
      + 'signature to use Node.js 24 or later. For more information see '
      + 'https://docs.aws.amazon.com/lambda/latest/dg/nodejs-handler.html.');
  }
  return found;
}

async function loadModule(taskRoot, folder, name) {
  const stem = path.resolve(taskRoot, folder, name);
  try {
    if (isFile(stem)) return require(stem);
    if (isFile(`${stem}.js`)) {
      return isModulePackage(path.dirname(stem)) ? await importModule(`${stem}.js`) : require(`${stem}.js`);
    }
    if (isFile(`${stem}.mjs`)) return await importModule(`${stem}.mjs`);
    if (isFile(`${stem}.cjs`)) return require(`${stem}.cjs`);
    return require(require.resolve(name, { paths: [taskRoot, path.resolve(taskRoot, folder)] }));
  } catch (error) {
    if (error instanceof SyntaxError) throw new Fault('Runtime.UserCodeSyntaxError', String(error));
    if (error?.code === 'MODULE_NOT_FOUND') throw new Fault('Runtime.ImportModuleError', String(error));
    throw error;
  }
}

function isFile(file) {
  try {
    return fs.statSync(file).isFile();
  } catch {
    return false;
  }
}

/** Whether the nearest package.json upwards says that `.js` is an ES module. */
function isModulePackage(folder) {
  for (let at = folder; ; at = path.dirname(at)) {
    const description = path.join(at, 'package.json');
    if (isFile(description)) {
      try {
        return JSON.parse(fs.readFileSync(description, 'utf8')).type === 'module';
      } catch (error) {
        process.emitWarning(`${description} is not JSON: ${error.message}`);
        return false;
      }
    }
    if (at === path.dirname(at) || path.basename(at) === 'node_modules') return false;
  }
}

function importModule(file) {
  searchNodePath();
  return import(pathToFileURL(file).href);
}

/** `import` does not look into NODE_PATH, where layers are; on Lambda it finds packages there. */
function searchNodePath() {
  const folders = (env.NODE_PATH ?? '').split(':')
    .filter((folder) => path.basename(folder) === 'node_modules' && fs.existsSync(folder));
  if (!folders.length) return;
  const parents = folders.map((folder) => pathToFileURL(path.join(path.dirname(folder), 'parent.mjs')).href);
  const isPackage = (name) => !/^[./]|^[a-z]+:/.test(name);
  if (Module.registerHooks) {
    Module.registerHooks({
      resolve(name, context, next) {
        try {
          return next(name, context);
        } catch (error) {
          if (error.code !== 'ERR_MODULE_NOT_FOUND' || !isPackage(name)) throw error;
          for (const parentURL of parents) {
            try { return next(name, { ...context, parentURL }); } catch { /* not there */ }
          }
          throw error;
        }
      },
    });
  } else if (Module.register) {
    const source = `const parents = ${JSON.stringify(parents)}; const isPackage = ${isPackage};
      export async function resolve(name, context, next) {
        try { return await next(name, context); } catch (error) {
          if (error.code !== 'ERR_MODULE_NOT_FOUND' || !isPackage(name)) throw error;
          for (const parentURL of parents) {
            try { return await next(name, { ...context, parentURL }); } catch { /* not there */ }
          }
          throw error;
        }
      }`;
    Module.register(`data:text/javascript,${encodeURIComponent(source)}`);
  }
}

// --- Response streams ---------------------------------------------------------------------------------------

const HttpResponseStream = {
  from(stream, prelude) {
    stream.setContentType(HTTP_INTEGRATION);
    stream._onBeforeFirstWrite = (write) => {
      write(JSON.stringify(prelude));
      write(new Uint8Array(8));
    };
    return stream;
  },
};

function streamifyResponse(handler, options) {
  handler[STREAMING] = 'response';
  if (options?.highWaterMark !== undefined) handler[HIGH_WATER_MARK] = parseInt(options.highWaterMark, 10);
  return handler;
}

/** A writable stream that is the body of this invocation's response. The head goes out with the first byte. */
function responseStream(api, target, highWaterMark, done) {
  const { Writable } = require('node:stream');
  let contentType;
  let socket;
  let hasFailed = false;
  let hasEnded = false;
  const start = () => {
    if (socket) return;
    socket = api.send(api.accepted(target, done));
    socket.unref(); // the event loop may still run empty before the stream's end
    socket.write(`${api.postHead(target, contentType ?? 'application/octet-stream', '')}`
      + 'Lambda-Runtime-Function-Response-Mode: streaming\r\nTransfer-Encoding: chunked\r\n'
      + 'Trailer: Lambda-Runtime-Function-Error-Type, Lambda-Runtime-Function-Error-Body\r\n\r\n');
    stream._onBeforeFirstWrite?.((bytes) => chunk(Buffer.from(bytes)));
  };
  const chunk = (bytes, wrote) => {
    if (!bytes.length) {
      wrote?.();
      return;
    }
    socket.cork();
    socket.write(`${bytes.length.toString(16)}\r\n`, 'latin1');
    socket.write(bytes);
    socket.write('\r\n', 'latin1', wrote);
    process.nextTick(() => socket.uncork());
  };
  const stream = new Writable({
    highWaterMark,
    write(bytes, _, wrote) {
      if (hasFailed) {
        wrote();
        return;
      }
      start();
      chunk(bytes, wrote);
    },
    final(ended) {
      if (hasFailed) {
        ended();
        return;
      }
      start();
      hasEnded = true;
      socket.ref();
      socket.write('0\r\n\r\n', 'latin1');
      ended();
    },
  });
  stream.setContentType = (type) => {
    if (socket) throw new Error('The content type of a response that has begun cannot be changed.');
    contentType = type;
  };
  stream.fail = (error) => { // after the head, an error can only be told in the trailers
    hasFailed = true;
    if (hasEnded) return true; // too late to tell
    if (!socket) return false;
    const document = errorDocument(error);
    const body = Buffer.from(JSON.stringify(document)).toString('base64');
    const type = headerText(document.errorType);
    socket.ref();
    socket.write(`0\r\nLambda-Runtime-Function-Error-Type: ${type}\r\n`
      + `Lambda-Runtime-Function-Error-Body: ${body}\r\n\r\n`, 'latin1');
    return true;
  };
  return stream;
}

// --- Invocations --------------------------------------------------------------------------------------------

/** One event on its way through the handler. The first outcome counts, later ones are ignored. */
class Invocation {
  constructor(api, headers) {
    this.api = api;
    this.id = headers['lambda-runtime-aws-request-id'];
    this.deadline = Number(headers['lambda-runtime-deadline-ms']);
    this.headers = headers;
    this.isOver = false;
    this.waitsForEmptyEventLoop = !shared; // with others on it, it is not empty
    this.onEmptyEventLoop = () => this.succeed(null);
  }

  context() {
    const { headers } = this;
    const document = (name) => (headers[name] ? JSON.parse(headers[name]) : undefined);
    const context = {
      functionVersion: env.AWS_LAMBDA_FUNCTION_VERSION,
      functionName: env.AWS_LAMBDA_FUNCTION_NAME,
      memoryLimitInMB: env.AWS_LAMBDA_FUNCTION_MEMORY_SIZE,
      logGroupName: env.AWS_LAMBDA_LOG_GROUP_NAME,
      logStreamName: env.AWS_LAMBDA_LOG_STREAM_NAME,
      clientContext: document('lambda-runtime-client-context'),
      identity: document('lambda-runtime-cognito-identity'),
      invokedFunctionArn: headers['lambda-runtime-invoked-function-arn'],
      awsRequestId: this.id,
      tenantId: headers['lambda-runtime-aws-tenant-id'],
      getRemainingTimeInMillis: () => this.deadline - Date.now(),
    };
    const outer = this;
    Object.defineProperty(context, 'callbackWaitsForEmptyEventLoop', {
      enumerable: true,
      get() { return outer.waitsForEmptyEventLoop; },
      set(value) { outer.waitsForEmptyEventLoop = value; },
    });
    // The environment's variable can hold one trace only.
    if (shared) context.xRayTraceId = headers['lambda-runtime-trace-id'];
    if (CALLBACKS_SUPPORTED) {
      context.done = (error, result) => this.finish(error, result);
      context.fail = (error) => this.fail(error);
      context.succeed = (result) => this.succeed(result);
    }
    return context;
  }

  finish(error, result) {
    if (error !== undefined && error !== null) this.fail(error);
    else this.succeed(result);
  }

  /** The third argument of a handler. A result waits for the event loop unless the function says not to. */
  callback(error, result) {
    if ((error !== undefined && error !== null) || !this.waitsForEmptyEventLoop) this.finish(error, result);
    else this.onEmptyEventLoop = () => this.succeed(result);
  }

  end() {
    if (this.isOver) return false;
    this.isOver = true;
    if (invocation === this) invocation = undefined;
    return true;
  }

  succeed(result) {
    if (this.isOver) return;
    let body;
    try {
      body = JSON.stringify(result === undefined ? null : result) ?? 'null';
    } catch {
      this.fail(new Error('Unable to stringify response body'));
      return;
    }
    this.end();
    this.api.post(`invocation/${this.id}/response`, body, () => takeNext(this.api, this.handler));
  }

  fail(error) {
    if (!this.end()) return;
    logError('Invoke Error', error);
    if (this.stream?.fail(error)) return;
    postError(this.api, `invocation/${this.id}/error`, error, () => takeNext(this.api, this.handler));
  }

  run(handler, body) {
    this.handler = handler;
    try {
      const event = JSON.parse(body);
      const context = this.context();
      if (handler[STREAMING] !== undefined) this.runStreaming(handler, event, context);
      else this.runBuffered(handler, event, context);
    } catch (error) {
      this.fail(error);
    }
  }

  runBuffered(handler, event, context) {
    const result = CALLBACKS_SUPPORTED
      ? handler(event, context, (error, value) => this.callback(error, value))
      : handler(event, context);
    if (typeof result?.then === 'function') {
      result.then((value) => this.succeed(value), (error) => this.fail(error));
    } else if (!CALLBACKS_SUPPORTED) {
      this.succeed(result);
    }
  }

  runStreaming(handler, event, context) {
    const target = `invocation/${this.id}/response`;
    this.stream = responseStream(this.api, target, handler[HIGH_WATER_MARK], () => {
      this.end();
      takeNext(this.api, this.handler);
    });
    this.stream.on('error', (error) => this.fail(error));
    this.onEmptyEventLoop = () => this.stream.end();
    const result = handler(event, this.stream, context);
    if (typeof result?.then === 'function') result.then(undefined, (error) => this.fail(error));
  }
}

function takeNext(api, handler) {
  api.next((headers, body) => {
    if (shared) {
      const another = new Invocation(api, headers);
      shared.run(another, () => another.run(handler, body));
      return;
    }
    invocation = new Invocation(api, headers);
    requestId = invocation.id;
    tenantId = headers['lambda-runtime-aws-tenant-id'];
    const trace = headers['lambda-runtime-trace-id'];
    if (trace) env._X_AMZN_TRACE_ID = trace;
    else delete env._X_AMZN_TRACE_ID;
    invocation.run(handler, body);
  });
}

// --- The life of the process --------------------------------------------------------------------------------

let isStarting = true;
let isDying = false;

/** Reports what nobody caught, on a connection of its own, and ends the process. */
function die(title, error, status) {
  if (isDying) return;
  isDying = true;
  logError(title, error);
  if (!isStarting && !invocation) process.exit(status); // nobody waits for an answer
  const target = isStarting ? 'init/error' : `invocation/${invocation.id}/error`;
  invocation?.end();
  const api = new RuntimeAPI(env.AWS_LAMBDA_RUNTIME_API);
  api.lost = () => process.exit(status);
  postError(api, target, error, () => process.exit(status));
}

async function main() {
  patchConsole();
  globalThis.awslambda = { ...globalThis.awslambda, streamifyResponse, HttpResponseStream };
  process.on('uncaughtException', (error) => die('Uncaught Exception', error, EXIT_UNCAUGHT_EXCEPTION));
  process.on('unhandledRejection', (reason, promise) => {
    die('Unhandled Promise Rejection', new UnhandledPromiseRejection(reason, promise), EXIT_UNHANDLED_REJECTION);
  });
  process.on('beforeExit', () => {
    const waiting = invocation;
    if (waiting) setImmediate(() => waiting.onEmptyEventLoop());
  });
  let handler;
  useCompiled([env.LAMBDA_TASK_ROOT ?? '/var/task', '/opt']);
  try {
    handler = await loadHandler(env.LAMBDA_TASK_ROOT ?? '/var/task', env._HANDLER ?? '');
  } catch (error) {
    die('Uncaught Exception', error, EXIT_UNCAUGHT_EXCEPTION);
    return;
  }
  if (isDying) return;
  isStarting = false;
  // Who throws where nobody catches ends the process, and so all of them: then the platform answers.
  for (let i = 0; i < Math.max(1, CONCURRENCY); i += 1) {
    takeNext((i === 0 && kept) || new RuntimeAPI(env.AWS_LAMBDA_RUNTIME_API), handler);
  }
}

await main();
