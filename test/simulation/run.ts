// Runs worlds by their seeds, outside of the test runner.
//
//     node run.js --seeds 2000 [--from 1] [--events 500] [--jobs 2]   that many seeds, spread over processes;
//                                                      with --first   only until one breaks a promise
//     node run.js EVENTS SEED...                                      these seeds, in this process
//
// Prints the seeds that broke a promise and exits with 1 then.
import { fork } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { runHistory } from './history.js';
import type { Verdict } from './tally.js';
import { Tally } from './tally.js';

/** Seeds handed out at once: enough to hide the hand-over. */
const CHUNK = 10;
/** A chunk that takes longer hangs. */
const CHUNK_MS_MAX = 120_000;
const PROGRESS_MS = 5000;

const args = process.argv.slice(2);
if (args[0] === '--child') serveParent();
else if (args[0]?.startsWith('--') === true) process.exitCode = await runMany(args);
else process.exitCode = await runHere(args.map(Number));

async function runHere([events = 500, ...seeds]: readonly number[]): Promise<number> {
  let broken = 0;
  for (const seed of seeds) {
    const verdict = await judge(seed, events);
    if (verdict.broken === null) continue;
    console.log(`seed ${seed}: ${verdict.broken}`);
    broken++;
  }
  return broken > 0 ? 1 : 0;
}

async function judge(seed: number, events: number): Promise<Verdict> {
  const { violation, trace, slots, merges, strays } = await runHistory(seed, events);
  return { seed, events: trace.length, slots, merges, strays, broken: violation?.message ?? null };
}

/** In a child: judges the chunks of seeds that arrive. */
function serveParent(): void {
  process.on('message', ({ seeds, events }: { seeds: number[]; events: number }) => {
    void (async () => {
      const verdicts: Verdict[] = [];
      for (const seed of seeds) verdicts.push(await judge(seed, events));
      process.send?.(verdicts);
    })();
  });
}

async function runMany(options: readonly string[]): Promise<number> {
  const number = (name: string, fallback: number): number => {
    const at = options.indexOf(`--${name}`);
    return at < 0 ? fallback : Number(options[at + 1]);
  };
  const [seeds, from] = [number('seeds', 500), number('from', 1)];
  const [events, jobs] = [number('events', 500), number('jobs', availableParallelism())];
  const tally = new Tally(seeds, events);
  let next = from;
  const first = options.includes('--first');
  const take = (): number[] => {
    if (first && tally.broken > 0) return [];
    const chunk = Array.from({ length: Math.min(CHUNK, from + seeds - next) }, (_, index) => next + index);
    next += chunk.length;
    return chunk;
  };
  const progress = setInterval(() => tally.print(), PROGRESS_MS);
  await Promise.all(Array.from({ length: jobs }, () => runChild(take, events, tally)));
  clearInterval(progress);
  tally.print();
  return tally.broken > 0 || tally.shortest < events ? 1 : 0;
}

/** Feeds one child until no seeds are left; a child that hangs or dies is replaced. */
async function runChild(take: () => number[], events: number, tally: Tally): Promise<void> {
  for (let seeds = take(); seeds.length > 0;) {
    const child = fork(fileURLToPath(import.meta.url), ['--child'], { stdio: 'inherit' });
    const begin = (): void => void child.send({ seeds, events });
    await new Promise<void>((resolve) => {
      let timer = setTimeout(() => child.kill('SIGKILL'), CHUNK_MS_MAX);
      child.on('message', (verdicts: Verdict[]) => {
        clearTimeout(timer);
        tally.add(verdicts);
        seeds = take();
        if (seeds.length === 0) {
          child.disconnect();
          return;
        }
        timer = setTimeout(() => child.kill('SIGKILL'), CHUNK_MS_MAX);
        begin();
      });
      child.once('exit', () => {
        clearTimeout(timer);
        resolve();
      });
      begin();
    });
    if (seeds.length === 0) return;
    tally.lost(seeds);
    seeds = take();
  }
}
