/*
 * Flow-control windows. HTTP/2 starts with 64 KiB in flight for each connection, which makes an upload as
 * slow as 64 KiB per round trip. grpc-js has no option for it on the server (grpc-node issue 3058), so the
 * options that it hands to Node are changed from outside. Whatever of this a later version no longer has is
 * left as it is.
 */
import type { Http2Server, ServerHttp2Session } from 'node:http2';
import type { Server } from '@grpc/grpc-js';

const STREAM_WINDOW_BYTES = 8 * 1024 * 1024;
const CONNECTION_WINDOW_BYTES = 16 * 1024 * 1024;

interface Internals {
  readonly commonServerOptions?: { settings?: { initialWindowSize?: number } };
  readonly http2Servers?: ReadonlyMap<Http2Server, unknown>;
}

/** Before `bindAsync`. Says whether it was possible. */
export function widenStreamWindows(server: Server): boolean {
  const options = (server as unknown as Internals).commonServerOptions;
  if (typeof options !== 'object') return false;
  options.settings = { ...options.settings, initialWindowSize: STREAM_WINDOW_BYTES };
  return true;
}

/** After `bindAsync`. Says whether it was possible. */
export function widenConnectionWindows(server: Server): boolean {
  const servers = (server as unknown as Internals).http2Servers;
  if (!(servers instanceof Map) || servers.size === 0) return false;
  for (const http2Server of servers.keys() as Iterable<Http2Server>) {
    http2Server.on('session', (session: ServerHttp2Session) => {
      session.setLocalWindowSize(CONNECTION_WINDOW_BYTES);
    });
  }
  return true;
}
