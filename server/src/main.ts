#!/usr/bin/env node
/*
 * `omendb`: the one place that reads the process's arguments and environment and ends the process.
 */
// First, so that no signal is lost while the rest is loaded.
import { onStopSignal } from './cli/stop-signals.js';
import { readFileSync } from 'node:fs';
import { PinoLogger } from './adapters/pino/logger.js';
import type { Command } from './cli/arguments.js';
import { UsageError, parseCommandLine } from './cli/arguments.js';
import { helpText } from './cli/help.js';
import { LiveSettings } from './cli/live-settings.js';
import type { StoreCommand } from './cli/store-arguments.js';
import { isStoreCommand } from './cli/store-arguments.js';
import type { CommandContext } from './cli/store-session.js';
import { UserError } from './cli/user-error.js';
import type { Config, Environment } from './config/load.js';
import { ConfigError, loadConfig } from './config/load.js';
import { OPTIONS } from './config/options.js';

/** A server that is asked to stop ends this long after the time for requests, whatever it is at. */
const CLOSE_MS_MAX = 5000;
const EXIT_FAILURE = 1;
const EXIT_USAGE = 2;

// Timers of the server keep no process alive. While a command does nothing but wait for its next try, this
// does.
const alive = setInterval(() => undefined, 60_000);
try {
  await run(parseCommandLine(process.argv.slice(2)));
} catch (error) {
  process.stderr.write(`${explain(error)}\n`);
  process.exit(error instanceof UsageError ? EXIT_USAGE : EXIT_FAILURE);
} finally {
  clearInterval(alive);
}

async function run(command: Command): Promise<void> {
  if (command.kind === 'help') return print(helpText(version()));
  if (command.kind === 'version') return print(version());
  const env = environmentOf(command);
  const config = loadConfig(env);
  const logger = loggerOf(config);
  if (command.kind === 'serve') return serveUntilStopped(config, () => loadConfig(env), logger);
  if (isStoreCommand(command)) {
    const context = { config, logger, signal: endOfProcess(), print };
    if (!(await runStoreCommand(context, command))) process.exitCode = EXIT_FAILURE;
    return;
  }
  // What a command does not need is not loaded: tokens are made in scripts, where time counts.
  const { createKey, disableKey, listKeys, tokenText } = await import('./cli/credentials.js');
  switch (command.kind) {
    case 'token':
      return print(await tokenText(config, command));
    case 'key-create':
      return print(await createKey(config, logger, command));
    case 'key-list':
      return print(await listKeys(config, logger, command.tenant));
    case 'key-disable':
      return print(await disableKey(config, logger, command.id));
  }
}

/** The variables of the process, with the file that the command line names. */
function environmentOf(command: Command): Environment {
  if (command.kind !== 'serve' || command.configFile === undefined) return process.env;
  return { ...process.env, [OPTIONS.configFile.env]: command.configFile };
}

/** False when the command did its work and what it found is bad news. */
async function runStoreCommand(context: CommandContext, command: StoreCommand): Promise<boolean> {
  switch (command.kind) {
    case 'backup':
      return (await import('./cli/backup.js')).backupStore(context, command);
    case 'backups':
      return (await import('./cli/backups.js')).listBackupsOfStore(context, command);
    case 'verify':
      return (await import('./cli/verify.js')).verifyStore(context, command);
    case 'restore':
      return (await import('./cli/restore.js')).restoreStore(context, command);
    case 'collect':
      return (await import('./cli/collect.js')).collectGarbageOfStore(context, command);
  }
}

/** Logs, with the pod in every line where there is one. */
function loggerOf({
  logLevel: level,
  podName: pod,
  podNamespace: namespace,
  nodeName: node,
}: Config): PinoLogger {
  const logger = new PinoLogger({ level });
  const known = Object.entries({ pod, namespace, node }).filter(([, name]) => name !== null);
  return known.length === 0 ? logger : logger.child(Object.fromEntries(known));
}

/** Aborts at the first signal; the second one ends the process at once. */
function endOfProcess(): AbortSignal {
  const end = new AbortController();
  onStopSignal(() => {
    if (end.signal.aborted) process.exit(EXIT_FAILURE);
    end.abort(new UserError('interrupted: run the command again to go on'));
  });
  return end.signal;
}

async function serveUntilStopped(config: Config, reload: () => Config, logger: PinoLogger): Promise<void> {
  const settings = new LiveSettings(config, reload, (level) => {
    logger.setLevel(level);
  });
  const end = new AbortController();
  const asked = new Promise<void>((resolve) => {
    end.signal.addEventListener('abort', () => {
      resolve();
    });
  });
  onStopSignal((signal) => {
    if (end.signal.aborted) process.exit(EXIT_FAILURE);
    const { drainMs, drainDelayMs } = settings.current;
    logger.info('the server is asked to stop', { signal, drainMs, drainDelayMs });
    // Everything that was acknowledged is stored, so nothing is lost by ending in the middle of other work.
    setTimeout(() => {
      logger.warn('the server has stopped before all of its work was over');
      process.exit(0);
    }, drainMs + CLOSE_MS_MAX);
    end.abort();
  });
  process.on('uncaughtException', (error) => {
    logger.error('a mistake in the server ends it', { error });
    process.exit(EXIT_FAILURE);
  });
  const { serve } = await import('./cli/serve.js');
  const serving = await serve({ config, settings, logger, version: version(), print, signal: end.signal });
  await asked;
  await serving?.stop();
  logger.info('the server has stopped');
  process.exit(0);
}

function version(): string {
  const text = readFileSync(new URL('../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { readonly version: string }).version;
}

function print(text: string): void {
  process.stdout.write(text.endsWith('\n') ? text : `${text}\n`);
}

/** What the user can put right is said without a stack; anything else is a mistake of ours and needs one. */
function explain(error: unknown): string {
  if (error instanceof UsageError) return `omendb: ${error.message}\nTry "omendb --help".`;
  if (error instanceof ConfigError) {
    const count = error.problems.length;
    const title = count === 1 ? 'a setting is wrong' : `${count} settings are wrong`;
    return `omendb: ${title}:\n${error.problems.map((problem) => `  ${problem}`).join('\n')}`;
  }
  if (error instanceof UserError) return `omendb: ${error.message}`;
  return `omendb: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`;
}
