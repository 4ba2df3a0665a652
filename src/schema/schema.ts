import { builder } from './builder.ts'
import './scalars.ts'
import './enums.ts'
import './inputs.ts'
import './places.ts'
import './scrapeUrls.ts'
import './jobs.ts'
import './jobCommands.ts'
import './days.ts'
import './executions.ts'
import './jobErrors.ts'
import './prospects.ts'
import './users.ts'
import './workerPool.ts'
import './watching.ts'

/** What is served at /graphql. schema.graphql in the root is its print. */
export const schema = builder.toSchema()
