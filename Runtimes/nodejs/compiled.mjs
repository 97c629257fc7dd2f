// Loads CommonJS modules that were compiled when the function was made (compile.mjs): V8 takes the results instead of
// compiling them once more. Whatever does not fit is compiled, as ever.
// https://nodejs.org/api/vm.html#vmcompilefunctioncode-params-options
import fs from 'node:fs';
import Module from 'node:module';
import path from 'node:path';
import vm from 'node:vm';

/** Where the results lie in a package or a layer, for this version of Node only. */
export const CACHE = `node_modules/.cache/martlet/${process.version}`;
const PARAMETERS = ['exports', 'require', 'module', '__filename', '__dirname'];

export const compile = (source, filename, options) => vm.compileFunction(source, PARAMETERS, { filename, ...options });

/**
 * What every result begins with, made here and now: V8's magic number, its version, a sum of the source, a sum of its
 * flags, 4 bytes each (src/snapshot/code-serializer.h). V8 looks at them, and takes no result that does not fit.
 */
export const probe = () => vm.compileFunction('', [], { produceCachedData: true }).cachedData.subarray(0, 16);
const FLAGS = 12;

/** How to read one of the results for what is below a directory; undefined if there are none that fit. */
export function resultsBelow(root) {
  let file;
  try {
    file = fs.openSync(path.join(root, CACHE));
  } catch {
    return undefined;
  }
  try {
    const { size } = fs.fstatSync(file);
    const head = Buffer.alloc(4);
    fs.readSync(file, head, 0, 4, 0);
    const text = Buffer.alloc(Math.min(head.readUInt32LE(), size));
    fs.readSync(file, text, 0, text.length, 4);
    const table = { modules: {}, ...JSON.parse(text) };
    const here = probe();
    if (here.compare(Buffer.from(table.probe, 'base64'), 0, FLAGS, 0, FLAGS) !== 0) throw new Error('another V8');
    const read = (name) => {
      if (!Object.hasOwn(table.modules, name)) return undefined;
      const [offset, length] = table.modules[name];
      if (!(length > FLAGS && length <= size)) return undefined;
      const data = Buffer.allocUnsafeSlow(length);
      if (fs.readSync(file, data, 0, length, 4 + text.length + offset) !== length) return undefined;
      // One flag is another one for each memory size, and means nothing to compiled code: the limit of the heap.
      here.copy(data, FLAGS, FLAGS);
      return data;
    };
    return { root: `${root}/`, read };
  } catch {
    fs.closeSync(file);
    return undefined;
  }
}

/** As Node makes it for each module. */
function requireOf(module) {
  const require = (id) => module.require(id);
  require.resolve = (request, options) => Module._resolveFilename(request, module, false, options);
  require.resolve.paths = (request) => Module._resolveLookupPaths(request, module);
  require.main = process.mainModule;
  require.extensions = Module._extensions;
  require.cache = Module._cache;
  return require;
}

/** Whether Node was started with no flags but Martlet's own. */
const isPlain = () => !process.env.NODE_OPTIONS && process.execArgv.every((flag) => flag.startsWith('--max-old-space-size='));

/** From now on modules below these directories are loaded from their results, if there are any. */
export function useCompiled(roots) {
  const found = isPlain() ? roots.map(resultsBelow).filter(Boolean) : [];
  if (!found.length) return;
  const usual = Module._extensions['.js'];
  const compileUsually = Module.prototype._compile;
  Module._extensions['.js'] = (module, filename) => {
    const results = found.find(({ root }) => filename.startsWith(root));
    // Who compiles modules in a way of their own wants their sources.
    const isUsual = Module.prototype._compile === compileUsually && !Object.hasOwn(module, '_compile');
    const cachedData = isUsual ? results?.read(filename.slice(results.root.length)) : undefined;
    if (!cachedData) {
      usual(module, filename);
      return;
    }
    const run = compile(fs.readFileSync(filename, 'utf8'), filename, { cachedData });
    Reflect.apply(run, module.exports,
      [module.exports, requireOf(module), module, filename, path.dirname(filename)]);
  };
}
