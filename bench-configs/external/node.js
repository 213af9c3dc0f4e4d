// Serves the files under a root, and nothing else.
'use strict';
const cluster = require('node:cluster');
const fs = require('node:fs');
const http = require('node:http');
const path = require('node:path');
const { pipeline } = require('node:stream');

const root = '@root@';
const cores = @cores@;
const types = { '.html': 'text/html', '.txt': 'text/plain' };
// A file up to this is read at once.
const small = 64 * 1024;

function refuse(response, status) {
  response.writeHead(status, { 'Content-Length': 0 });
  response.end();
}

function serve(request, response) {
  if (request.method !== 'GET' && request.method !== 'HEAD') return refuse(response, 405);
  let name;
  try {
    name = decodeURIComponent(request.url.split('?', 1)[0]);
  } catch {
    return refuse(response, 400);
  }
  // Normalised from "/" on, it cannot lead out of the root.
  const file = path.join(root, path.posix.normalize('/' + name));
  fs.open(file, 'r', (error, descriptor) => {
    if (error) return refuse(response, 404);
    fs.fstat(descriptor, (error, stat) => {
      if (error || !stat.isFile()) {
        fs.close(descriptor, () => {});
        return refuse(response, 404);
      }
      response.writeHead(200, {
        'Content-Type': types[path.extname(file)] ?? 'application/octet-stream',
        'Content-Length': stat.size,
        'Last-Modified': stat.mtime.toUTCString(),
      });
      if (request.method === 'HEAD') {
        fs.close(descriptor, () => {});
        return response.end();
      }
      if (stat.size > small) {
        return pipeline(fs.createReadStream(null, { fd: descriptor, highWaterMark: 256 * 1024 }), response, () => {});
      }
      fs.read(descriptor, Buffer.allocUnsafe(stat.size), 0, stat.size, 0, (error, length, bytes) => {
        fs.close(descriptor, () => {});
        if (error || length !== stat.size) return response.destroy();
        response.end(bytes);
      });
    });
  });
}

if (cores > 1 && cluster.isPrimary) {
  for (let core = 0; core < cores; core++) cluster.fork();
  process.on('SIGTERM', () => {
    for (const worker of Object.values(cluster.workers)) worker.process.kill();
    cluster.disconnect(() => process.exit(0));
  });
} else {
  const server = http.createServer({ keepAliveTimeout: 60_000 }, serve);
  server.listen({ host: '@address@', port: @port@, backlog: 4096 });
  process.on('SIGTERM', () => process.exit(0));
}
