// Compiles the CommonJS modules below a directory, and writes the results to standard output as a zip with one file, which
// compiled.mjs reads where the modules run. Martlet runs this in a sandbox of its own when a function is made
// (Sources/MartletLambda/Runtimes/PackageCompiler.swift): nothing of the package is executed.
//
// Usage: compile.mjs DIRECTORY SECONDS. What cannot be compiled is left out, and what there is no time or room for.
//
// The file begins with the length of a table (4 bytes, little-endian); the table is JSON and says where in the rest the
// result for each module lies.
import fs from 'node:fs';
import path from 'node:path';
import { CACHE, compile, probe } from './compiled.mjs';

const SMALLEST_MODULE = 1024; // bytes; of smaller ones the result takes as long to read
const SMALLEST = 16 * 1024; // of all together
const LARGEST = 256 * 1024 * 1024; // of the results

/** Whether a directory's package.json says that `.js` there is an ES module; undefined without one. */
function isModulePackage(folder) {
  try {
    return JSON.parse(fs.readFileSync(path.join(folder, 'package.json'), 'utf8')).type === 'module';
  } catch (error) {
    return error instanceof SyntaxError ? false : undefined;
  }
}

/** The paths of all that Node would load as CommonJS. */
function* modules(folder, isModule) {
  const says = isModulePackage(folder) ?? (path.basename(folder) === 'node_modules' ? false : isModule);
  for (const entry of fs.readdirSync(folder, { withFileTypes: true })) {
    const at = path.join(folder, entry.name);
    if (entry.isDirectory()) yield* modules(at, says);
    else if (entry.isFile() && (entry.name.endsWith('.cjs') || (entry.name.endsWith('.js') && !says))) yield at;
  }
}

function result(file) {
  try {
    const size = fs.statSync(file).size;
    const source = size >= SMALLEST_MODULE ? fs.readFileSync(file, 'utf8') : '';
    // What Node would change before it compiles it.
    if (source.length < SMALLEST_MODULE || source.startsWith('#!') || source.startsWith('\uFEFF')) return undefined;
    // V8 forgets in its results where an `import()` is to be resolved. Some are made of strings.
    if (/\bimport\s*[('"`/]/.test(source)) return undefined;
    return { size, data: compile(source, file, { produceCachedData: true }).cachedData };
  } catch { // Whoever loads it is told what is wrong with it.
    return undefined;
  }
}

/** CRC-32, as zip wants it. */
function checksum(parts) {
  const table = Uint32Array.from({ length: 256 }, (_, byte) => {
    let value = byte;
    for (let bit = 0; bit < 8; bit += 1) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
    return value;
  });
  let sum = 0xffffffff;
  for (const part of parts) for (const byte of part) sum = table[(sum ^ byte) & 0xff] ^ (sum >>> 8);
  return (sum ^ 0xffffffff) >>> 0;
}

/** A zip with one file, not compressed. https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT */
function zip(name, parts) {
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  const common = Buffer.alloc(26);
  common.writeUInt16LE(20, 0); // version needed
  common.writeUInt32LE(0x00210000, 6); // 1980-01-01
  common.writeUInt32LE(checksum(parts), 10);
  common.writeUInt32LE(length, 14);
  common.writeUInt32LE(length, 18);
  common.writeUInt16LE(name.length, 22);
  const local = Buffer.concat([Buffer.from('PK\x03\x04'), common, Buffer.from(name)]);
  const attributes = Buffer.alloc(14);
  attributes.writeUInt32LE(0o100644 * 65536, 6);
  const entry = Buffer.concat([Buffer.from('PK\x01\x02\x14\x03', 'latin1'), common, attributes, Buffer.from(name)]);
  const end = Buffer.alloc(22);
  end.write('PK\x05\x06', 'latin1');
  end.writeUInt16LE(1, 8);
  end.writeUInt16LE(1, 10);
  end.writeUInt32LE(entry.length, 12);
  end.writeUInt32LE(local.length + length, 16);
  return [local, ...parts, entry, end];
}

function writeAll(parts) {
  for (const part of parts) {
    for (let done = 0; done < part.length;) done += fs.writeSync(1, part, done, part.length - done);
  }
}

function main(root, seconds) {
  const end = performance.now() + seconds * 1000;
  const table = { probe: probe().toString('base64'), modules: {} };
  const results = [];
  let [offset, total] = [0, 0];
  for (const file of modules(root, false)) {
    if (performance.now() > end || offset > LARGEST) break;
    const found = result(file);
    if (!found) continue;
    table.modules[path.relative(root, file)] = [offset, found.data.length];
    results.push(found.data);
    offset += found.data.length;
    total += found.size;
  }
  if (total < SMALLEST) return;
  const text = Buffer.from(JSON.stringify(table));
  const head = Buffer.alloc(4);
  head.writeUInt32LE(text.length);
  writeAll(zip(CACHE, [head, text, ...results]));
}

main(process.argv[2], Number(process.argv[3]));
