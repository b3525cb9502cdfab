// What every command needs before its work: the right Node, installed packages, a build. Plain Node without a
// dependency, since it runs before the install. Two commands at once take turns through a lock, so that
// neither sees a half-made build.
import { spawn } from 'node:child_process';
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const LOCK = join(ROOT, '.cache', 'build.lock');
const NODE_MIN = [20, 19];

/** Ends the process with a message unless Node is new enough. */
export function requireNode() {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  if (major > NODE_MIN[0] || (major === NODE_MIN[0] && minor >= NODE_MIN[1])) return;
  fail(
    `Node ${NODE_MIN.join('.')} or newer is needed, this is ${process.versions.node} (${process.execPath}).`,
  );
}

/** Installs the packages of package-lock.json when they are missing or differ, then builds what changed. */
export async function prepare({ build = [] } = {}) {
  requireNode();
  await withLock(async () => {
    const stale = staleInstall();
    if (stale !== null) {
      await step(`installing packages (${stale})`, npmCommand(), ['ci', '--no-audit', '--no-fund']);
    }
    await step('building', process.execPath, [join(ROOT, 'scripts/build.mjs'), ...build], {
      BUILD_LOCK_HELD: '1',
    });
  });
}

/** Installs when nothing is installed at all: for commands that read the tree and need no build. */
export async function ensureInstalled() {
  requireNode();
  if (existsSync(join(ROOT, 'node_modules'))) return;
  await withLock(() =>
    step('installing packages (first run)', npmCommand(), ['ci', '--no-audit', '--no-fund']),
  );
}

/**
 * Runs a command to its end and prints one line with the time it took. Its output is shown only when it
 * fails.
 */
export async function step(name, command, args, env = {}) {
  const started = performance.now();
  if (process.stderr.isTTY) process.stderr.write(`… ${name}`);
  const { code, output } = await capture(command, args, env);
  const line = `${code === 0 ? '✓' : '✗'} ${name}  ${seconds(started)}\n`;
  process.stderr.write(process.stderr.isTTY ? `\r\x1b[K${line}` : line);
  if (code === 0) return;
  process.stderr.write(`${output}\n`);
  fail(explain(output) ?? `${name} failed: ${[command, ...args].join(' ')}`);
}

/** Runs a command and keeps what it prints. */
export function capture(command, args, env = {}) {
  return new Promise((resolve) => {
    const child = spawn(command, args, {
      cwd: ROOT,
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const chunks = [];
    child.stdout.on('data', (chunk) => chunks.push(chunk));
    child.stderr.on('data', (chunk) => chunks.push(chunk));
    child.on('error', (error) => resolve({ code: 127, output: `${command}: ${error.message}` }));
    child.on('close', (code) => resolve({ code: code ?? 1, output: Buffer.concat(chunks).toString() }));
  });
}

/**
 * Hands the terminal to a command: same input, output and exit code; the signals that end this process reach
 * the command.
 */
export function become(command, args) {
  const child = spawn(command, args, { cwd: process.cwd(), stdio: 'inherit' });
  // A terminal sends Ctrl-C to the whole group, so forwarding SIGINT too would tell the command twice to
  // stop.
  for (const signal of ['SIGTERM', 'SIGHUP', 'SIGUSR2']) process.on(signal, () => child.kill(signal));
  process.on('SIGINT', () => {
    if (!process.stdin.isTTY) child.kill('SIGINT');
  });
  const watch = process.env.npm_lifecycle_event === undefined ? undefined : endWithParent(child);
  child.on('error', (error) => fail(`${command}: ${error.message}`));
  child.on('close', (code, signal) => {
    clearInterval(watch);
    if (signal === null) process.exit(code ?? 1);
    process.removeAllListeners(signal);
    process.kill(process.pid, signal);
  });
}

/**
 * npm runs scripts through a shell that dies of a signal without passing it on; its death is the signal then.
 */
function endWithParent(child) {
  const parent = process.ppid;
  return setInterval(() => {
    if (process.ppid !== parent) child.kill('SIGTERM');
  }, 200);
}

export function seconds(started) {
  return `${((performance.now() - started) / 1000).toFixed(1)} s`;
}

/** Runs `work` while no other command installs or builds. A lock whose owner is gone counts as free. */
export async function withLock(work) {
  mkdirSync(dirname(LOCK), { recursive: true });
  for (let told = false; !takeLock(); told = true) {
    if (!told) process.stderr.write('waiting for another install or build to end\n');
    await new Promise((resolve) => void setTimeout(resolve, 200));
  }
  const release = () => rmSync(LOCK, { force: true });
  process.on('exit', release);
  try {
    return await work();
  } finally {
    release();
    process.off('exit', release);
  }
}

function takeLock() {
  try {
    const file = openSync(LOCK, 'wx');
    writeSync(file, String(process.pid));
    closeSync(file);
    return true;
  } catch (error) {
    if (error.code !== 'EEXIST') throw error;
    if (lockIsStale()) rmSync(LOCK, { force: true });
    return false;
  }
}

function lockIsStale() {
  try {
    const owner = Number(readFileSync(LOCK, 'utf8'));
    // Between creation and the writing of the number the file is empty: give it a second.
    if (owner === 0) return Date.now() - statSync(LOCK).mtimeMs > 1000;
    process.kill(owner, 0);
    return false;
  } catch (error) {
    return error.code === 'ESRCH';
  }
}

/**
 * Null when node_modules holds what package-lock.json says, else why not. npm keeps the list of what it
 * installed beside it.
 */
function staleInstall() {
  const installedFile = join(ROOT, 'node_modules/.package-lock.json');
  if (!existsSync(installedFile)) return 'first run';
  const wanted = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8')).packages;
  const installed = JSON.parse(readFileSync(installedFile, 'utf8')).packages;
  for (const [path, entry] of Object.entries(wanted)) {
    if (!path.startsWith('node_modules/') || entry.link || entry.optional || entry.devOptional) continue;
    const there = installed[path];
    if (there === undefined) return `${path.slice(13)} is missing`;
    if (there.version !== entry.version)
      return `${path.slice(13)} is ${there.version}, wanted ${entry.version}`;
  }
  return null;
}

function npmCommand() {
  return process.platform === 'win32' ? 'npm.cmd' : 'npm';
}

/** A sentence for the failures that people meet, or undefined. */
function explain(output) {
  if (/ENOTFOUND|EAI_AGAIN|ETIMEDOUT|ECONNREFUSED/.test(output))
    return 'the package registry is not reachable; is the network up?';
  if (/EACCES|EPERM/.test(output)) return `no permission to write in ${ROOT}.`;
  if (/ENOSPC/.test(output)) return 'the disk is full.';
  if (/npm.* can only install|not in sync/.test(output))
    return 'package.json and package-lock.json differ: run "npm install".';
  return undefined;
}

function fail(message) {
  process.stderr.write(`${message}\n`);
  process.exit(1);
}
