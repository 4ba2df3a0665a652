/** A whole node in a process of its own, on DATABASE_URL, with fixture sites: to be killed. */
import { openDatabase } from '../../src/db/database.ts'
import { startNode } from '../../src/engine/node.ts'
import { silent, testConfig } from './engineFixtures.ts'

const databaseUrl = process.env['DATABASE_URL'] ?? ''
const csvDir = process.env['GAVEL_CSV_DIR'] ?? ''
await startNode({
  config: testConfig({ LOG_LEVEL: 'silent', GAVEL_CSV_DIR: csvDir }),
  databaseUrl,
  db: openDatabase(databaseUrl, { max: 3, name: 'fixture node', log: silent }),
  log: silent,
  workers: 1,
  workerEntry: new URL('fixtureWorker.ts', import.meta.url),
})
process.send?.('started')
