/*
 * What grpc-js does not do for the connections of a server, done from outside on the objects that it keeps.
 * Whatever of these a later version no longer has is left as it is.
 *
 * Flow control: HTTP/2 starts with a window of 64 KiB for each connection, which makes an upload as slow as
 * 64 KiB per round trip, and the server has no option for it (grpc-node issue 3058).
 *
 * Ending: `forceShutdown` ends connections only when channelz is on, and there is no way to ask clients to
 * leave while new ones may still come.
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

/** The connections of a server. */
export class Connections {
  readonly #sessions = new Set<ServerHttp2Session>();
  /** Whether new connections can be seen, and their windows widened. */
  readonly known: boolean;

  /**
   * After `bindAsync`.
   *
   * @param onCall Called with the path of every call.
   */
  constructor(server: Server, onCall: (path: string) => void) {
    const servers = (server as unknown as Internals).http2Servers;
    this.known = servers instanceof Map && servers.size > 0;
    if (!this.known) return;
    for (const http2Server of (servers as Map<Http2Server, unknown>).keys()) {
      http2Server.on('session', (session) => {
        session.setLocalWindowSize(CONNECTION_WINDOW_BYTES);
        this.#sessions.add(session);
        session.once('close', () => this.#sessions.delete(session));
      });
      http2Server.on('stream', (_stream, headers) => {
        onCall(headers[':path'] ?? '');
      });
    }
  }

  /**
   * Asks every client to open another connection for its further calls. Those in work are answered; those
   * that are on their way are named as not taken, so that clients repeat them at once. To promise that they
   * are taken is no better: nghttp2 takes no call any more once it has said anything of an end.
   */
  announceEnd(): void {
    for (const session of this.#sessions) if (!session.closed && !session.destroyed) session.close();
  }

  /** Ends all of them, whatever they are at. */
  destroy(): void {
    for (const session of this.#sessions) session.destroy();
  }
}
