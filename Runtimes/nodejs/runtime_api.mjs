// The Runtime API as a runtime calls it: HTTP/1.1 of our own on a kept `net` socket, because `node:http` costs 15 ms at
// start on Node 22 and 24. https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
import fs from 'node:fs';
import net from 'node:net';

const RUNTIME_NAME = `aws-lambda-nodejs/${process.versions.node}-martlet`;
const RECEIVE_BYTES = 65536;

/** HTTP/1.1 on one kept connection, one request at a time. The server gone is the end of this process. */
export class RuntimeAPI {
  constructor(address) {
    const colon = address.lastIndexOf(':');
    this.host = address.slice(0, colon);
    this.port = Number(address.slice(colon + 1));
    this.commonHead = `Host: ${address}\r\nUser-Agent: ${RUNTIME_NAME}\r\n`;
    this.nextRequest = `GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\n${this.commonHead}\r\n`;
    this.kept = undefined; // bytes of an unfinished answer
    this.answered = undefined;
  }

  connect() {
    this.socket = net.connect({
      host: this.host,
      port: this.port,
      onread: {
        buffer: Buffer.allocUnsafe(RECEIVE_BYTES),
        callback: (count, buffer) => this.receive(buffer.subarray(0, count)),
      },
    });
    this.socket.setNoDelay(true);
    this.socket.on('error', (error) => this.lost(error.message));
    this.socket.on('close', () => this.lost('connection closed'));
  }

  lost(reason) {
    writeOut(`The Runtime API is gone: ${reason}\n`);
    process.exit(1);
  }

  send(answered) {
    if (!this.socket) this.connect();
    this.socket.ref();
    this.answered = answered;
    return this.socket;
  }

  /** Calls back with (headers by lower-case name, event as text). */
  next(answered) {
    this.send((status, headers, body) => {
      if (status !== 200) this.lost(`${status} to next`);
      this.socket.unref();
      answered(headers, body);
    }).write(this.nextRequest, 'latin1');
  }

  /** What a stem cell is to become; the answer comes when that is known, which may be hours. */
  order(answered) {
    this.send((status, _, body) => {
      if (status !== 200) this.lost(`${status} to order`);
      this.socket.unref();
      answered(body);
    }).write(`GET /_martlet/order HTTP/1.1\r\n${this.commonHead}\r\n`, 'latin1');
  }

  postHead(target, contentType, moreHead) {
    const start = `POST /2018-06-01/runtime/${target} HTTP/1.1\r\n${this.commonHead}`;
    return `${start}Content-Type: ${contentType}\r\n${moreHead}`;
  }

  accepted(target, done) {
    return (status) => {
      if (status >= 500) this.lost(`${status} to ${target}`);
      done();
    };
  }

  post(target, body, done, moreHead = '') {
    const length = Buffer.byteLength(body);
    const head = `${this.postHead(target, 'application/json', moreHead)}Content-Length: ${length}\r\n\r\n`;
    this.send(this.accepted(target, done)).write(head + body, length === body.length ? 'latin1' : 'utf8');
  }

  receive(data) {
    if (this.rest) {
      data = this.fill(data);
      if (!data) return true;
    } else if (this.kept) {
      data = Buffer.concat([this.kept, data]);
    }
    this.kept = undefined;
    const answer = parseAnswer(data);
    if (answer === undefined) {
      this.kept = Buffer.from(data);
    } else if (typeof answer === 'number') { // the whole length: collect the rest in one buffer
      this.rest = Buffer.allocUnsafe(answer);
      this.filled = data.copy(this.rest);
    } else {
      const { answered } = this;
      this.answered = undefined;
      if (answer.closes) {
        this.socket.removeAllListeners('close');
        this.socket.destroy();
        this.socket = undefined;
      }
      answered?.(answer.status, answer.headers, answer.body);
    }
    return true;
  }

  fill(data) {
    this.filled += data.copy(this.rest, this.filled);
    if (this.filled < this.rest.length) return undefined;
    const whole = this.rest;
    this.rest = undefined;
    return whole;
  }
}

/** A whole answer; its length when that much has to come; undefined when even that is unknown. */
function parseAnswer(data) {
  const end = data.indexOf('\r\n\r\n');
  if (end < 0) return undefined;
  const lines = data.toString('utf8', 0, end).split('\r\n');
  const headers = {};
  for (let index = 1; index < lines.length; index += 1) {
    const line = lines[index];
    const colon = line.indexOf(':');
    headers[line.slice(0, colon).toLowerCase()] = line.slice(colon + 1).trim();
  }
  const start = end + 4;
  let body = '';
  if (headers['content-length'] !== undefined) {
    const length = start + Number(headers['content-length']);
    if (data.length < length) return length;
    body = data.toString('utf8', start, length);
  } else if (headers['transfer-encoding']?.toLowerCase() === 'chunked') {
    body = parseChunks(data, start);
    if (body === undefined) return undefined;
  }
  const connection = headers.connection?.toLowerCase();
  const closes = connection === 'close' || (lines[0].startsWith('HTTP/1.0') && connection !== 'keep-alive');
  return { status: Number(lines[0].split(' ')[1]), headers, body, closes };
}

function parseChunks(data, start) {
  const pieces = [];
  for (let at = start; ;) {
    const lineEnd = data.indexOf('\r\n', at);
    if (lineEnd < 0) return undefined;
    const size = parseInt(data.toString('latin1', at, lineEnd), 16);
    at = lineEnd + 2;
    if (size === 0) {
      const ended = data.indexOf('\r\n', at) === at || data.indexOf('\r\n\r\n', at) >= 0;
      return ended ? Buffer.concat(pieces).toString() : undefined;
    }
    if (data.length < at + size + 2) return undefined;
    pieces.push(data.subarray(at, at + size));
    at += size + 2;
  }
}

/** All of it, also to a pipe that is full. */
export function writeOut(bytes, descriptor = 1) {
  let rest = Buffer.from(bytes);
  while (rest.length) {
    try {
      rest = rest.subarray(fs.writeSync(descriptor, rest));
    } catch (error) {
      if (error.code !== 'EAGAIN') throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1);
    }
  }
}
