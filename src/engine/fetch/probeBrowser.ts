/** Says to its parent whether the browser of the settings is there and shows a page: `found`, or what is wrong. */
import { readConfig } from '../../config.ts'
import { createLogger } from '../../log.ts'
import { findBrowser } from './findBrowser.ts'
import { proveBrowser } from './proveBrowser.ts'

process.once('disconnect', () => process.exit(0))
const config = readConfig()
const log = createLogger(config.logLevel, 'browser')
try {
  const found = await findBrowser({ given: config.browserPath, log, install: false })
  // The one that is remembered may have ceased to work.
  const proof = found && (await proveBrowser(found.executablePath, found.env))
  say(proof?.program ? 'found' : (proof?.failure ?? 'no browser is installed: see gavel doctor'))
} catch (error) {
  say(error instanceof Error ? error.message : String(error))
}

function say(what: string): void {
  process.send?.(what, undefined, {}, () => process.exit(0))
}
