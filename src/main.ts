import { Command, CommanderError } from 'commander'
import { ConfigError } from './config.ts'

/**
 * The subcommands, each in a file of its own. Only the one that was asked for is loaded: `gavel parse` needs neither
 * the database nor a browser.
 */
const commands: Readonly<Record<string, () => Promise<(program: Command) => void>>> = {
  doctor: async () => (await import('./commands/doctor.ts')).registerDoctor,
  export: async () => (await import('./commands/export.ts')).registerExport,
  keys: async () => (await import('./commands/keys.ts')).registerKeys,
  migrate: async () => (await import('./commands/migrate.ts')).registerMigrate,
  parse: async () => (await import('./commands/parse.ts')).registerParse,
  recover: async () => (await import('./commands/recover.ts')).registerRecover,
  scrape: async () => (await import('./commands/scrape.ts')).registerScrape,
  serve: async () => (await import('./commands/serve.ts')).registerServe,
  worker: async () => (await import('./commands/worker.ts')).registerWorker,
}

// A reader such as `head` may have enough before we are done.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error
  process.exit()
})

const program = new Command('gavel')
  .description('US county auction listings, complete and proved')
  .exitOverride()
  .showHelpAfterError('(--help shows what there is)')

const asked = commands[process.argv[2] ?? '']
for (const load of asked === undefined ? Object.values(commands) : [asked]) (await load())(program)

try {
  await program.parseAsync()
} catch (error) {
  process.exitCode = exitCodeOf(error)
}

/** Commander has printed its own; 2 is for a command line that makes no sense. */
function exitCodeOf(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2
  console.error(isTold(error) ? `gavel: ${error.message}` : error)
  return 1
}

/** What a person can mend by themselves is one line; the class of the embedded server's errors is loaded with it. */
function isTold(error: unknown): error is Error {
  return error instanceof ConfigError || (error instanceof Error && error.name === 'EmbeddedError')
}
