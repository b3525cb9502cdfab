// Runs what docs/observability.md shows, as it is printed there; only ports, the folder and the time between
// two scrapes are replaced.
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { endWithProcess } from '../support/end-with-process.js';
import { freePorts, startServer } from '../support/server-process.js';
import type { ServerProcess } from '../support/server-process.js';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));

describe('The page about observability', function () {
  this.timeout(60_000);
  let folder: string;
  let server: ServerProcess;
  let ports: ReadonlyMap<string, string>;
  const running: ChildProcess[] = [];

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'omendb-page-'));
    server = await startServer({ dataDir: join(folder, 'data') });
    const { http: prometheus, grpc: alertmanager } = await freePorts();
    ports = new Map([
      ['8081', String(server.ports.ops)],
      ['9091', String(prometheus)],
      ['9093', String(alertmanager)],
    ]);
    cpSync(join(ROOT, 'alerts'), join(folder, 'alerts'), { recursive: true });
    const file = join(folder, 'alerts/prometheus.yml');
    writeFileSync(file, withPorts(readFileSync(file, 'utf8')).replaceAll(': 15s', ': 1s'));
  });

  after(async () => {
    for (const child of running) await end(child);
    await server.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  it('shows how to look at the metrics', async () => {
    const [ready, requests] = await Promise.all(commandsIn('look').map((command) => run(command)));
    expect(ready).to.match(/^omendb_ready 1$/m);
    expect(requests).to.match(/^omendb_requests_total\{.*\} 0$/m);
  });

  it('shows how to start Prometheus and Alertmanager, with files that their tools accept', async () => {
    for (const command of [...commandsIn('prometheus'), ...commandsIn('alertmanager')]) {
      if (command.endsWith(' &')) start(command.slice(0, -2));
      else await run(command);
    }
    expect(running).to.have.length(2);
  });

  it('shows how to ask, and answers come: the server is up, its requests are known, the rules are loaded', async () => {
    const [up = '', rates = '', rules = ''] = commandsIn('ask');
    await until(up, (answer) => /"value":\[[\d.]+,"1"\]/.test(answer));
    const { token } = server;
    await fetch(`${server.url}/v1/collections`, { headers: { authorization: `Bearer ${token}` } });
    await until(rates, (answer) => answer.includes('"operation":"list_collections"'));
    expect(await run(rules))
      .to.include('OmenDBHighLatency')
      .and.to.include('"health":"ok"');
  });

  it('tells Prometheus where Alertmanager is', async () => {
    const address = `http://127.0.0.1:${ports.get('9091')}/api/v1/alertmanagers`;
    await until(`curl -s ${address}`, (answer) =>
      answer.includes(`127.0.0.1:${ports.get('9093')}/api/v2/alerts`),
    );
  });

  function withPorts(text: string): string {
    return [...ports].reduce(
      (sofar, [from, to]) => sofar.replaceAll(`127.0.0.1:${from}`, `127.0.0.1:${to}`),
      text,
    );
  }

  /** The commands of one example, each on one line. */
  function commandsIn(name: string): string[] {
    const text = readFileSync(join(ROOT, 'docs/observability.md'), 'utf8');
    const block = new RegExp(`<!-- tested: ${name} -->\\s*\`\`\`sh\\n([\\s\\S]*?)\`\`\``).exec(text)?.[1];
    if (block === undefined) throw new Error(`docs/observability.md has no example "${name}"`);
    return withPorts(block.replaceAll(/\\\n\s*/g, ''))
      .trim()
      .split('\n');
  }

  function run(command: string): Promise<string> {
    const child = spawn('bash', ['-c', command], { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
    }
    return new Promise((resolve, reject) => {
      child.once('close', (code) => {
        if (code === 0) resolve(output);
        else reject(new Error(`${command}: code ${code}\n${output}`));
      });
    });
  }

  function start(command: string): void {
    const child = spawn('bash', ['-c', `exec ${command}`], { cwd: folder, stdio: 'ignore' });
    endWithProcess(child);
    running.push(child);
  }

  async function until(command: string, wanted: (answer: string) => boolean): Promise<void> {
    const deadline = Date.now() + 40_000;
    for (;;) {
      const answer = await run(command).catch(String);
      if (wanted(answer)) return;
      const dead = running.find(({ exitCode }) => exitCode !== null);
      if (dead !== undefined) throw new Error(`${dead.spawnargs.join(' ')} ended with ${dead.exitCode}`);
      if (Date.now() > deadline) throw new Error(`${command}: ${answer}`);
      await new Promise((again) => void setTimeout(again, 200));
    }
  }
});

function end(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    if (child.exitCode !== null) {
      resolve();
      return;
    }
    child.once('close', () => {
      resolve();
    });
    child.kill('SIGKILL');
  });
}
