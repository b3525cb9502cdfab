/**
 * Structured logs. Never pass vectors, attributes or credentials. An error is logged once, where it is
 * handled.
 */
export interface Logger {
  debug(message: string, facts?: LogFacts): void;
  info(message: string, facts?: LogFacts): void;
  warn(message: string, facts?: LogFacts): void;
  error(message: string, facts?: LogFacts): void;
  /** A logger that adds `facts` to every line. */
  child(facts: LogFacts): Logger;
}

export type LogFacts = Readonly<Record<string, unknown>>;
