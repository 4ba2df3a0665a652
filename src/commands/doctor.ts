import { existsSync } from 'node:fs'
import { statfs } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { styleText } from 'node:util'
import type { Command } from 'commander'
import { type Config, ConfigError, readConfig } from '../config.ts'
import type { Database } from '../db/database.ts'
import { pendingMigrations } from '../db/migrate.ts'
import { serverVersion } from '../db/serverVersion.ts'
import { findBrowser } from '../engine/fetch/findBrowser.ts'
import { createLogger, type Logger } from '../log.ts'
import { openRuntime } from './runtime.ts'

/** What one check found; `mend` says what to do where something is missing. */
type Finding = { ok: true; found: string } | { ok: false; found: string; mend: string }

const leastNode = 24
const leastPostgres = 15
/** The embedded database, the browser and the job files want some room. */
const leastFreeBytes = 1024 ** 3

export function registerDoctor(program: Command): void {
  program
    .command('doctor')
    .description('say what is there and what is missing; exit 1 with the mend for each')
    .action(async () => {
      process.exitCode = await doctor()
    })
}

async function doctor(): Promise<number> {
  const log = createLogger('silent', 'gavel')
  const settings = checkSettings()
  const findings: [string, Finding][] = [
    ['Node', checkNode()],
    ['settings', settings.finding],
  ]
  if (settings.config) {
    findings.push(...(await checkDatabase(settings.config, log)))
    findings.push(['browser', await checkBrowser(settings.config, log)])
    findings.push(['disk', await checkDisk(settings.config)])
  }
  for (const [name, finding] of findings) {
    const mark = finding.ok ? styleText('green', 'ok     ') : styleText('red', 'missing')
    console.log(
      `${mark}  ${name.padEnd(10)}  ${finding.found}${finding.ok ? '' : `\n         to mend:    ${finding.mend}`}`,
    )
  }
  return findings.every(([, finding]) => finding.ok) ? 0 : 1
}

function checkNode(): Finding {
  const [major = 0] = process.versions.node.split('.').map(Number)
  if (major >= leastNode) return { ok: true, found: process.version }
  return { ok: false, found: process.version, mend: `run it as \`npm run gavel\`, which brings Node ${leastNode}` }
}

function checkSettings(): { config: Config | null; finding: Finding } {
  try {
    return { config: readConfig(), finding: { ok: true, found: 'make sense' } }
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    return { config: null, finding: { ok: false, found: error.message, mend: 'change it in the environment or .env' } }
  }
}

async function checkDatabase(config: Config, log: Logger): Promise<[string, Finding][]> {
  const which = config.databaseUrl === null ? 'embedded' : 'DATABASE_URL'
  try {
    const runtime = await openRuntime(config, log, { name: 'gavel doctor', max: 2, migrated: false })
    try {
      return [
        ['database', await checkVersion(runtime.db, which)],
        ['migrations', await checkMigrations(runtime.db)],
      ]
    } finally {
      await runtime.close()
    }
  } catch (error) {
    // Whatever keeps the database from answering is the finding.
    const why = error instanceof Error ? error.message : String(error)
    const found = error instanceof ConfigError ? why : `${which}: ${why}`
    const mend =
      config.databaseUrl === null
        ? 'see that GAVEL_DATA_DIR can be written, or set DATABASE_URL'
        : 'see that DATABASE_URL names a server that is up and lets this user in'
    return [['database', { ok: false, found, mend }]]
  }
}

async function checkVersion(db: Database, which: string): Promise<Finding> {
  const version = await serverVersion(db)
  const found = `PostgreSQL ${version} (${which})`
  if (Number.parseInt(version, 10) >= leastPostgres) return { ok: true, found }
  return { ok: false, found, mend: `use PostgreSQL ${leastPostgres} or newer` }
}

async function checkMigrations(db: Database): Promise<Finding> {
  const pending = await pendingMigrations(db)
  if (pending.length === 0) return { ok: true, found: 'the database is at this version' }
  return { ok: false, found: `${pending.length} to run: ${pending.join(', ')}`, mend: 'run `npm run gavel -- migrate`' }
}

async function checkBrowser(config: Config, log: Logger): Promise<Finding> {
  try {
    const browser = await findBrowser({ given: config.browserPath, log, install: false })
    if (browser) return { ok: true, found: `${browser.executablePath ?? "Playwright's own"} (${browser.source})` }
    return {
      ok: false,
      found: 'none that works; sites over plain HTTP can be read',
      mend: 'install chromium-headless-shell or Chrome, or set GAVEL_BROWSER; `npm test` and `npm run demo` fetch one',
    }
  } catch (error) {
    const found = error instanceof Error ? error.message : String(error)
    return { ok: false, found, mend: 'set GAVEL_BROWSER to a Chromium or Chrome that works' }
  }
}

async function checkDisk(config: Config): Promise<Finding> {
  const free = Math.min(await freeBytes(config.dataDir), await freeBytes(config.csvDir))
  const found = `${(free / 1024 ** 3).toFixed(1)} GiB free for ${config.dataDir} and ${config.csvDir}`
  if (free >= leastFreeBytes) return { ok: true, found }
  return { ok: false, found, mend: 'free at least 1 GiB' }
}

/** Free on the disk of a folder, or of the one it will be made in. */
async function freeBytes(folder: string): Promise<number> {
  let place = resolve(folder)
  while (!existsSync(place)) place = dirname(place)
  const { bavail, bsize } = await statfs(place)
  return bavail * bsize
}
