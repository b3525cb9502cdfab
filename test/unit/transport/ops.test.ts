import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { expect } from 'chai';
import type { Listener } from '#server/transport/listener.js';
import { listenOps } from '#server/transport/ops/server.js';

const PROBES = { alive: true, started: true, ready: true };

describe('The page of metrics', () => {
  let listener: Listener;
  let socket: Socket;
  let received: string;
  /** What ends the pages that are being put together. */
  let pages: ((text: string) => void)[];

  beforeEach(async () => {
    pages = [];
    received = '';
    const exposition = {
      contentType: 'text/plain',
      render: () => new Promise<string>((resolve) => void pages.push(resolve)),
    };
    listener = await listenOps(PROBES, { host: '127.0.0.1', port: 0, exposition });
    socket = connect(listener.port, '127.0.0.1').on('data', (bytes) => (received += bytes.toString()));
  });

  afterEach(async () => {
    socket.destroy();
    listener.closeNow();
    await listener.close();
  });

  const ask = (path: string, times = 1): void =>
    void socket.write(`GET ${path} HTTP/1.1\r\nhost: x\r\n\r\n`.repeat(times));

  async function until(holds: () => boolean): Promise<void> {
    while (!holds()) await new Promise((again) => void setImmediate(again));
  }

  it('is put together twice for any number of those who ask at once, and never before somebody asked', async () => {
    ask('/metrics');
    await until(() => pages.length === 1);
    ask('/metrics', 100);
    const probe = await fetch(`http://127.0.0.1:${listener.port}/livez`);
    expect(probe.status).to.equal(200);
    expect(pages).to.have.length(1);
    pages[0]?.('first');
    await until(() => pages.length === 2);
    pages[1]?.('second');
    await until(() => received.split('second').length === 101);
    expect(received.split('first')).to.have.length(2);
    expect(pages).to.have.length(2);
  });
});
