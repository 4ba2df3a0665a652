/** A node without workers in a process of its own, on DATABASE_URL: fires schedules and calls webhooks until killed. */
import { openDatabase } from '../../src/db/database.ts'
import { openQueue } from '../../src/engine/queue.ts'
import { startSchedules } from '../../src/engine/schedules.ts'
import { type DeliveryTimes, startWebhooks } from '../../src/engine/webhooks.ts'
import { silent, testConfig } from './engineFixtures.ts'

const databaseUrl = process.env['DATABASE_URL'] ?? ''
const config = testConfig({ GAVEL_ALLOW_PRIVATE_HOSTS: process.env['ALLOW'] ?? '' })
const times = JSON.parse(process.env['TIMES'] ?? 'null') as DeliveryTimes | null
const log = silent
const db = openDatabase(databaseUrl, { max: 4, name: 'background node', log })
const queue = await openQueue({ db, databaseUrl, staleAfterSeconds: 10, worker: false, log })
startSchedules({ db, queue, config, log })
startWebhooks({ db, allowPrivateHosts: config.allowPrivateHosts, log, ...(times ? { times } : {}) })
process.send?.('started')
