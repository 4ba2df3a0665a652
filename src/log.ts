import { type Logger, pino } from 'pino'

export type { Logger }

/** Names whose values never reach a log line. */
const secrets = [
  'authorization',
  'Authorization',
  'cookie',
  'Cookie',
  'key',
  'apiKey',
  'adminKey',
  'GAVEL_ADMIN_KEY',
  'secret',
  'token',
  'password',
  'databaseUrl',
  'connectionString',
  'DATABASE_URL',
]

/** They are looked for this far down in a logged object: `req.headers.authorization` is the third level. */
const depths = ['', '*.', '*.*.', '*.*.*.']

/**
 * The process's logger: JSON lines on stderr, pretty when stderr is a terminal. stdout belongs to the command's own
 * output. Levels are pino's; `name` says which part of Gavel speaks.
 */
export function createLogger(level: string, name: string): Logger {
  const redact = secrets.flatMap((word) => depths.map((above) => above + word))
  const options = { name, level, redact, serializers: { err: tellError }, timestamp: pino.stdTimeFunctions.isoTime }
  if (process.stderr.isTTY) {
    return pino({ ...options, transport: { target: 'pino-pretty', options: { destination: 2, colorize: true } } })
  }
  return pino(options, pino.destination({ dest: 2, sync: true }))
}

/** An error with its code and stack; without the connection that pg hangs on its errors, 4 KB of inner state. */
function tellError(error: Error): object {
  const { client: _, ...told } = pino.stdSerializers.err(error) as ReturnType<typeof pino.stdSerializers.err> & {
    client?: unknown
  }
  return told
}
