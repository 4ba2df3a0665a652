import { readFileSync } from 'node:fs'

const manifest = JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8')) as {
  version: string
  homepage: string
}

/** How Gavel names itself to the sites: the sites refuse agents that do not look like a browser's. */
export const userAgent = `Mozilla/5.0 (compatible; Gavel/${manifest.version}; +${manifest.homepage})`
