import { accessSync, constants, statSync } from 'node:fs'
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { delimiter, join } from 'node:path'
import { z } from 'zod'
import { withLock } from '../../db/embedded/lock.ts'
import type { Logger } from '../../log.ts'
import { ScrapeError } from '../errors.ts'
import { installers, unpackedChromium } from './installBrowser.ts'
import { type BrowserProgram, type Proof, proveBrowser } from './proveBrowser.ts'

export interface FindBrowserOptions {
  /** GAVEL_BROWSER: this one, or an error. */
  given: string | null
  /** Where the choice is remembered and a browser of our own is unpacked; ~/.cache/gavel without. */
  cacheDir?: string
  log: Logger
  /** Whether one may be fetched when none is there: up to some minutes, and as root a system package. */
  install: boolean
}

export interface FoundBrowser extends BrowserProgram {
  /** Where it was found, for people: `GAVEL_BROWSER`, `Playwright's own`, `the system`, ... */
  source: string
}

/** Names on PATH, the best first: a headless shell needs half the memory of a full browser and starts faster. */
const systemNames = [
  'chromium-headless-shell',
  'google-chrome-stable',
  'google-chrome',
  'chromium',
  'chromium-browser',
  'microsoft-edge-stable',
]
const macPath = '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome'

const installPatienceMs = 20 * 60_000

/**
 * The first browser that is there and works (each is started once and must show text), null when there is none. The
 * choice is remembered in `cacheDir` and taken again without a proof as long as its file is the same. Throws
 * ScrapeError NO_BROWSER when the given one does not work.
 */
export async function findBrowser(options: FindBrowserOptions): Promise<FoundBrowser | null> {
  const cacheDir = options.cacheDir ?? join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'gavel')
  const memory = join(cacheDir, 'browser.json')
  const known = await recall(memory, options.given)
  if (known !== null) return known
  if (options.given !== null) {
    const proof = await proveBrowser(options.given, {})
    if (proof.program === null) {
      throw new ScrapeError('NO_BROWSER', `GAVEL_BROWSER ${options.given} does not work: ${proof.failure}`)
    }
    return await remember(memory, { ...proof.program, source: 'GAVEL_BROWSER' }, options.log)
  }
  const present = await firstThatWorks(cacheDir, options.log)
  if (present !== null) return await remember(memory, present, options.log)
  if (!options.install) return null
  await mkdir(cacheDir, { recursive: true, mode: 0o700 })
  return await withLock(cacheDir, installPatienceMs, async () => {
    // Another process may have fetched one while this one waited.
    const fetched = (await recall(memory, null)) ?? (await fetchOne(cacheDir, options.log))
    return fetched === null ? null : await remember(memory, fetched, options.log)
  })
}

async function firstThatWorks(cacheDir: string, log: Logger): Promise<FoundBrowser | null> {
  const own = accept("Playwright's own", await proveBrowser(null, {}), log)
  return own ?? (await firstOfSystem(log)) ?? (await unpacked(cacheDir, log))
}

async function firstOfSystem(log: Logger): Promise<FoundBrowser | null> {
  for (const path of systemBrowsers()) {
    const found = accept('the system', await proveBrowser(path, {}), log)
    if (found !== null) return found
  }
  return null
}

async function unpacked(cacheDir: string, log: Logger): Promise<FoundBrowser | null> {
  const program = unpackedChromium(cacheDir)
  if (program === null) return null
  return accept('unpacked by Gavel', await proveBrowser(program.executablePath, program.env), log)
}

async function fetchOne(cacheDir: string, log: Logger): Promise<FoundBrowser | null> {
  for (const installer of installers) {
    try {
      if (!(await installer.install(cacheDir, log))) continue
    } catch (error) {
      if (!(error instanceof Error)) throw error
      // No network as a rule, and each of these has its own way to say so: the next one may be within reach.
      const reason = error.message.split('\n').slice(0, 2).join(' ')
      log.info({ reason }, `${installer.name} could not be fetched`)
      continue
    }
    const found = await firstThatWorks(cacheDir, log)
    if (found !== null) return found
  }
  return null
}

function accept(source: string, proof: Proof, log: Logger): FoundBrowser | null {
  if (proof.program !== null) return { ...proof.program, source }
  log.debug({ source, failure: proof.failure }, 'this browser is not to be used')
  return null
}

function systemBrowsers(): string[] {
  const folders = (process.env['PATH'] ?? '').split(delimiter).filter((folder) => folder !== '')
  const onPath = systemNames.flatMap((name) => folders.map((folder) => join(folder, name)).find(isExecutable) ?? [])
  return process.platform === 'darwin' && isExecutable(macPath) ? [...onPath, macPath] : onPath
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch (error) {
    // Not there, or not for us: whichever, it is not one of the candidates.
    if (error instanceof Error && 'code' in error) return false
    throw error
  }
}

const Memory = z.object({
  executablePath: z.string(),
  env: z.record(z.string(), z.string()),
  source: z.string(),
  /** Size and time of the file that was proved. */
  file: z.string(),
})

async function recall(memory: string, given: string | null): Promise<FoundBrowser | null> {
  let text: string
  try {
    text = await readFile(memory, 'utf8')
  } catch (error) {
    if (error instanceof Error && 'code' in error) return null
    throw error
  }
  const { data } = Memory.safeParse(parsedOrNull(text))
  if (data === undefined || data.file !== fileMark(data.executablePath)) return null
  if (given === null ? data.source === 'GAVEL_BROWSER' : data.executablePath !== given) return null
  return { executablePath: data.executablePath, env: data.env, source: given === null ? data.source : 'GAVEL_BROWSER' }
}

/** A cache folder that cannot be written costs the next search its time, nothing else. */
async function remember(memory: string, found: FoundBrowser, log: Logger): Promise<FoundBrowser> {
  log.info({ path: found.executablePath, source: found.source }, 'browser found')
  const draft = `${memory}.${process.pid}`
  try {
    await mkdir(join(memory, '..'), { recursive: true, mode: 0o700 })
    await writeFile(draft, JSON.stringify({ ...found, file: fileMark(found.executablePath) }), { mode: 0o600 })
    await rename(draft, memory)
  } catch (error) {
    log.debug({ err: error }, 'the choice of the browser is not remembered')
    await rm(draft, { force: true })
  }
  return found
}

function fileMark(path: string): string {
  const file = statSync(path, { throwIfNoEntry: false })
  return file === undefined ? 'gone' : `${file.size} ${file.mtimeMs}`
}

function parsedOrNull(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    if (error instanceof SyntaxError) return null
    throw error
  }
}
