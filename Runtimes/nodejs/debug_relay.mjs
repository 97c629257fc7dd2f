// Puts debuggers through: calls the platform at argv[2], waits for a byte, and then connects it with port argv[3].
import net from 'node:net';

const [host, port] = process.argv[2].split(':');

function park() {
  const platform = net.connect(Number(port), host);
  platform.once('data', (first) => {
    platform.pause();
    const debuggee = net.connect(Number(process.argv[3]), '127.0.0.1', () => {
      if (first.length > 1) debuggee.write(first.subarray(1));
      platform.pipe(debuggee);
      debuggee.pipe(platform);
    });
    const end = () => { platform.destroy(); debuggee.destroy(); };
    for (const socket of [platform, debuggee]) { socket.on('error', end); socket.on('close', end); }
    park();
  });
  platform.once('error', () => {});
}

park();
