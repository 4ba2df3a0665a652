import type { Command } from 'commander'
import { readConfig } from '../config.ts'
import { migrate } from '../db/migrate.ts'
import { createLogger } from '../log.ts'
import { openRuntime } from './runtime.ts'

export function registerMigrate(program: Command): void {
  program
    .command('migrate')
    .description('bring the database to this version')
    .option('--down', 'take the newest migration back instead')
    .action(async (options: { down?: true }) => {
      const config = readConfig()
      const log = createLogger(config.logLevel, 'gavel')
      const runtime = await openRuntime(config, log, { name: 'gavel migrate', max: 2, migrated: false })
      try {
        const names = await migrate(runtime.db, options.down ? 'down' : 'latest')
        for (const name of names) console.log(`${options.down ? 'took back' : 'applied'} ${name}`)
        if (names.length === 0) console.log(options.down ? 'nothing to take back' : 'the database is at this version')
      } finally {
        await runtime.close()
      }
    })
}
