/*
 * Settings that change while the server runs, by the settings file.
 */
import type { Config } from '../config/load.js';
import { ConfigError } from '../config/load.js';
import type { Option, OptionName } from '../config/options.js';
import { OPTIONS } from '../config/options.js';
import type { Logger } from '../ports/logger.js';
import type { Scheduler } from '../ports/scheduler.js';
import { followFile } from './follow-file.js';

/** What is looked up whenever it is needed. */
export type LiveConfig = Pick<Config, 'logLevel' | 'maxInFlight' | 'drainMs' | 'drainDelayMs'>;

export class LiveSettings {
  #current: Config;

  constructor(
    private readonly atStart: Config,
    /** Reads all settings again. Throws `ConfigError`. */
    private readonly reload: () => Config,
    private readonly onLogLevel: (level: Config['logLevel']) => void,
  ) {
    this.#current = atStart;
  }

  get current(): LiveConfig {
    return this.#current;
  }

  /** Looks at the file from time to time. Returns how to stop. */
  follow({ scheduler, logger }: { readonly scheduler: Scheduler; readonly logger: Logger }): () => void {
    const { configFile: path } = this.atStart;
    if (path === null) return () => undefined;
    const unreadable = (error: unknown): void => {
      logger.error('the settings file cannot be read: the settings before stay in use', { path, error });
    };
    return followFile({ path, scheduler, unreadable }, () => {
      try {
        this.#take(this.reload(), logger);
      } catch (error) {
        if (!(error instanceof ConfigError)) throw error;
        const { problems } = error;
        logger.error('the settings file is not usable: the settings before stay in use', { path, problems });
      }
    });
  }

  #take(next: Config, logger: Logger): void {
    const changed = differences(this.#current, next).filter((name) => isLive(name));
    const needRestart = differences(this.atStart, next).filter((name) => !isLive(name));
    this.#current = next;
    this.onLogLevel(next.logLevel);
    const facts = {
      path: this.atStart.configFile,
      changed: changed.map(envOf),
      needRestart: needRestart.map(envOf),
    };
    logger.info('the settings file changed', facts);
  }
}

/** Secrets aside: they are in files of their own. */
function differences(a: Config, b: Config): OptionName[] {
  return (Object.keys(OPTIONS) as OptionName[]).filter(
    (name) => !isSecret(name) && JSON.stringify(a[name]) !== JSON.stringify(b[name]),
  );
}

function isLive(name: OptionName): boolean {
  return (OPTIONS[name] as Option<unknown>).live === true;
}

function isSecret(name: OptionName): boolean {
  return (OPTIONS[name] as Option<unknown>).secret === true;
}

function envOf(name: OptionName): string {
  return OPTIONS[name].env;
}
