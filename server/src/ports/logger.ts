/**
 * Structured logs. Never pass vectors, attributes or credentials. An error is logged once, where it is
 * handled.
 */
export interface Logger {
  /** Lines at debug level are written: ask first where they come with every request. */
  readonly verbose: boolean;
  debug(message: string, facts?: LogFacts): void;
  info(message: string, facts?: LogFacts): void;
  warn(message: string, facts?: LogFacts): void;
  error(message: string, facts?: LogFacts): void;
  /** A logger that adds `facts` to every line. */
  child(facts: LogFacts): Logger;
}

/** Named values of one line: identifiers, counts, durations with their unit in the name, an `error`. */
export type LogFacts = Readonly<Record<string, unknown>>;
