import { pino } from 'pino';
import type { DestinationStream, Logger as Pino } from 'pino';
import type { LogFacts, Logger } from '../../ports/logger.js';
import { describeError } from './describe-error.js';

/** Names of facts that hold credentials wherever they appear; their values are replaced. */
const SECRET_FACTS = ['authorization', 'token', 'secret', 'password', 'apiKey', 'jwtSecret'];

export interface PinoOptions {
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  /** Absent: standard error, where output that a program may read is not mixed with logs. */
  readonly stream?: DestinationStream;
}

/** Logs as lines of JSON: `time` in ISO 8601, `level` by name, `message`, then the facts. */
export class PinoLogger implements Logger {
  readonly #pino: Pino;

  constructor(target: PinoOptions | Pino) {
    this.#pino = isPino(target) ? target : build(target);
  }

  get verbose(): boolean {
    return this.#pino.isLevelEnabled('debug');
  }

  debug(message: string, facts?: LogFacts): void {
    this.#pino.debug(facts, message);
  }

  info(message: string, facts?: LogFacts): void {
    this.#pino.info(facts, message);
  }

  warn(message: string, facts?: LogFacts): void {
    this.#pino.warn(facts, message);
  }

  error(message: string, facts?: LogFacts): void {
    this.#pino.error(facts, message);
  }

  child(facts: LogFacts): Logger {
    return new PinoLogger(this.#pino.child(facts));
  }
}

function isPino(target: PinoOptions | Pino): target is Pino {
  return 'child' in target;
}

function build({ level, stream }: PinoOptions): Pino {
  return pino(
    {
      level,
      base: null,
      messageKey: 'message',
      errorKey: 'error',
      timestamp: () => `,"time":"${new Date().toISOString()}"`,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { error: (error: unknown) => describeError(error) },
      redact: { paths: SECRET_FACTS.flatMap((name) => [name, `*.${name}`]), censor: '[hidden]' },
    },
    // Synchronous, so that the last words of a process that fails are not lost.
    stream ?? pino.destination({ dest: 2, sync: true }),
  );
}
