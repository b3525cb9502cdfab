import type { LogFacts, Logger } from '#server/ports/logger.js';

export interface LoggedLine {
  readonly level: string;
  readonly message: string;
  readonly facts: LogFacts;
}

/** A logger that keeps its lines. */
export function loggerInto(lines: LoggedLine[]): Logger {
  const at =
    (level: string) =>
    (message: string, facts: LogFacts = {}): void => {
      lines.push({ level, message, facts });
    };
  const logger: Logger = {
    verbose: true,
    ...{ debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') },
    child: () => logger,
  };
  return logger;
}
