import { findBrowser } from '../../src/engine/fetch/findBrowser.ts'
import { createLogger } from '../../src/log.ts'

/** Looks for a browser with the options it is given as JSON, and prints what it found, or the error's message. */
const options = JSON.parse(process.argv[2] ?? '') as { given: string | null; cacheDir: string; install: boolean }
try {
  console.log(JSON.stringify(await findBrowser({ ...options, log: createLogger('debug', 'test') })))
} catch (error) {
  if (!(error instanceof Error)) throw error
  console.log(JSON.stringify({ error: error.message }))
}
