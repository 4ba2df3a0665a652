/** A worker whose site does what the path of its URL says: see fixtureSite.ts. */
import { runWorker } from '../../src/engine/runWorker.ts'
import { fixtureSite } from './fixtureSite.ts'

await runWorker({ siteFor: () => fixtureSite })
