import { createInterface } from 'node:readline'
import { openEmbedded } from '../../src/db/embedded/server.ts'
import { createLogger } from '../../src/log.ts'

/*
 * A process that uses the embedded server of a data folder: prints its URL as one line, then does what it reads on
 * stdin: `close` gives the server up in order, `exit` ends without a word to anybody.
 */
const [dataDir = ''] = process.argv.slice(2)
const server = await openEmbedded({ dataDir, log: createLogger('info', 'user') })
console.log(server.url)
for await (const line of createInterface({ input: process.stdin })) {
  if (line === 'exit') process.exit(0)
  if (line === 'close') {
    await server.close()
    process.exit(0)
  }
}
