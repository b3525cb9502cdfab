import { pino } from 'pino';
import type { DestinationStream, Logger as Pino } from 'pino';
import type { LogFacts, Logger } from '../../ports/logger.js';
import { describeError } from './describe-error.js';

/** Names of facts that hold credentials wherever they appear; their values are replaced. */
const SECRET_FACTS = ['authorization', 'token', 'secret', 'password', 'apiKey', 'jwtSecret'];

const LEVELS = ['debug', 'info', 'warn', 'error'] as const;
type LogLevel = (typeof LEVELS)[number];

export interface PinoOptions {
  readonly level: LogLevel;
  /** Absent: standard error, where output that a program may read is not mixed with logs. */
  readonly stream?: DestinationStream;
}

/** Least important messages that are logged; one for a logger and its children, so that it can be changed. */
interface Threshold {
  level: LogLevel;
}

/** Logs as lines of JSON: `time` in ISO 8601, `level` by name, `message`, then the facts. */
export class PinoLogger implements Logger {
  readonly #pino: Pino;
  readonly #threshold: Threshold;

  constructor(target: PinoOptions | { readonly pino: Pino; readonly threshold: Threshold }) {
    this.#pino = 'pino' in target ? target.pino : build(target);
    this.#threshold = 'pino' in target ? target.threshold : { level: target.level };
  }

  get verbose(): boolean {
    return this.#threshold.level === 'debug';
  }

  /** Changes what is logged by this logger, those it came from and those that came from it. */
  setLevel(level: LogLevel): void {
    this.#threshold.level = level;
  }

  debug(message: string, facts?: LogFacts): void {
    if (this.verbose) this.#pino.debug(facts, message);
  }

  info(message: string, facts?: LogFacts): void {
    if (this.#logs('info')) this.#pino.info(facts, message);
  }

  warn(message: string, facts?: LogFacts): void {
    if (this.#logs('warn')) this.#pino.warn(facts, message);
  }

  error(message: string, facts?: LogFacts): void {
    this.#pino.error(facts, message);
  }

  child(facts: LogFacts): PinoLogger {
    return new PinoLogger({ pino: this.#pino.child(facts), threshold: this.#threshold });
  }

  #logs(level: LogLevel): boolean {
    return LEVELS.indexOf(level) >= LEVELS.indexOf(this.#threshold.level);
  }
}

function build({ stream }: PinoOptions): Pino {
  return pino(
    {
      // Children of pino keep the level that they began with: ours is asked before.
      level: 'debug',
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
