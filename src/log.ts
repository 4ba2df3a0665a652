import { type Logger, pino } from 'pino'

export type { Logger }

/** Names whose values never reach a log line, wherever they stand in a logged object. */
const secrets = ['authorization', 'cookie', 'key', 'secret', 'password', 'databaseUrl', 'DATABASE_URL']

/**
 * The process's logger: JSON lines on stderr, pretty when stderr is a terminal. stdout belongs to the command's own
 * output. Levels are pino's; `name` says which part of Gavel speaks.
 */
export function createLogger(level: string, name: string): Logger {
  const redact = secrets.flatMap((word) => [word, `*.${word}`])
  const options = { name, level, redact, timestamp: pino.stdTimeFunctions.isoTime }
  if (process.stderr.isTTY) {
    return pino({ ...options, transport: { target: 'pino-pretty', options: { destination: 2, colorize: true } } })
  }
  return pino(options, pino.destination({ dest: 2, sync: true }))
}
