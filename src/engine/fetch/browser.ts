import { mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Browser, BrowserContext } from 'playwright'
import type { Logger } from '../../log.ts'
import { ScrapeError } from '../errors.ts'
import type { BrowserHost } from './fetcher.ts'
import type { Guard } from './guard.ts'
import type { Politeness } from './politeness.ts'
import { type GuardedProxy, openGuardedProxy } from './proxy.ts'

/** A browser that has been found: null for Playwright's own, and the environment it needs beside the usual one. */
export interface FoundBrowser {
  executablePath: string | null
  env: Record<string, string>
}

export interface BrowserHostOptions {
  /** Asked once, on the first use. null: there is no browser to be had. */
  findBrowser: () => Promise<FoundBrowser | null>
  guard: Guard
  politeness: Politeness
  userAgent: string
  log: Logger
  signal: AbortSignal
  /** Where the job's own folder for the browser's profile is made; it is deleted by close. */
  tempDir: string
}

const navigationTimeoutMs = 30_000
/** Nothing that a listing is read from. */
const unneeded = new Set(['image', 'font', 'media'])

interface Running {
  browser: Browser
  proxy: GuardedProxy
  folder: string
}

/** One browser for one job, started when the first page needs it. `close` ends its process and deletes its folder. */
export function createBrowserHost(options: BrowserHostOptions): BrowserHost & { close(): Promise<void> } {
  let running: Promise<Running> | null = null
  let closing: Promise<void> | null = null

  async function started(): Promise<Running> {
    const attempt = (running ??= start(options))
    try {
      return await attempt
    } catch (error) {
      if (running === attempt) running = null
      throw error
    }
  }

  /** A browser that crashed is started anew by the next page that needs one. */
  async function alive(): Promise<Running> {
    const one = await started()
    if (one.browser.isConnected()) return one
    running = null
    await stop(one)
    return started()
  }

  async function stopLast(): Promise<void> {
    // A start that failed has cleaned up after itself.
    const last = await running?.catch(() => null)
    if (last) await stop(last)
  }

  const close = () => (closing ??= stopLast())

  // What a page is waiting for ends with the browser.
  options.signal.addEventListener('abort', () => {
    close().catch((error: unknown) => options.log.warn({ err: error }, 'the browser did not close'))
  })

  return {
    async context() {
      options.signal.throwIfAborted()
      if (closing !== null) throw new ScrapeError('INTERNAL', 'the browser is closed')
      const { browser } = await alive()
      return openContext(browser, options.userAgent)
    },
    async takeFault() {
      return (await running)?.proxy.takeFault() ?? null
    },
    close,
  }
}

async function openContext(browser: Browser, userAgent: string): Promise<BrowserContext> {
  const context = await browser.newContext({
    userAgent,
    locale: 'en-US',
    acceptDownloads: false,
    // Their requests would pass by the rule below.
    serviceWorkers: 'block',
  })
  context.setDefaultTimeout(navigationTimeoutMs)
  await context.route('**/*', (route) => {
    return unneeded.has(route.request().resourceType()) ? route.abort('blockedbyclient') : route.continue()
  })
  return context
}

async function start(options: BrowserHostOptions): Promise<Running> {
  const found = await options.findBrowser()
  if (found === null) throw new ScrapeError('NO_BROWSER', 'no browser is installed: see gavel doctor')
  options.signal.throwIfAborted()
  const folder = await mkdtemp(join(options.tempDir, 'gavel-browser-'))
  const proxy = await openGuardedProxy(options)
  try {
    const browser = await launch(options, found, proxy, folder)
    options.log.debug({ version: browser.version() }, 'the browser has started')
    return { browser, proxy, folder }
  } catch (error) {
    await proxy.close()
    await rm(folder, { recursive: true, force: true })
    throw error
  }
}

/** In its sandbox where the system lets it: never for root, and not in every container. */
async function launch(
  options: BrowserHostOptions,
  found: FoundBrowser,
  proxy: GuardedProxy,
  folder: string,
): Promise<Browser> {
  // The dearest import of all, so only when a browser is needed.
  const { chromium } = await import('playwright')
  const start = (chromiumSandbox: boolean) =>
    inFolder(folder, () =>
      chromium.launch({
        ...(found.executablePath === null ? {} : { executablePath: found.executablePath }),
        env: { ...withoutSecrets(process.env), ...found.env, TMPDIR: folder },
        chromiumSandbox,
        // Loopback too goes through the proxy.
        proxy: { server: proxy.server, username: proxy.username, password: proxy.password, bypass: '<-loopback>' },
        // QUIC and WebRTC would pass by the proxy.
        args: ['--disable-gpu', '--disable-quic', '--force-webrtc-ip-handling-policy=disable_non_proxied_udp'],
        // Playwright's own handlers close the browser and leave the process running.
        handleSIGTERM: false,
        handleSIGINT: false,
        handleSIGHUP: false,
        timeout: navigationTimeoutMs,
      }),
    )
  if (process.getuid?.() === 0) return start(false).catch(noBrowser)
  try {
    return await start(true)
  } catch (error) {
    options.log.debug({ err: error }, 'the browser does not start in its sandbox')
    return await start(false).catch(noBrowser)
  }
}

function noBrowser(error: unknown): never {
  const message = error instanceof Error ? error.message.split('\n')[0] : String(error)
  throw new ScrapeError('NO_BROWSER', `the browser does not start: ${message}`, { cause: error })
}

async function stop({ browser, proxy, folder }: Running): Promise<void> {
  try {
    await browser.close()
  } finally {
    await proxy.close()
    await rm(folder, { recursive: true, force: true, maxRetries: 3 })
  }
}

/** Playwright makes the profile in this process' own temporary folder, whatever the browser's is. */
async function inFolder<T>(folder: string, work: () => Promise<T>): Promise<T> {
  const name = process.platform === 'win32' ? 'TEMP' : 'TMPDIR'
  const before = process.env[name]
  process.env[name] = folder
  try {
    return await work()
  } finally {
    if (before === undefined) delete process.env[name]
    else process.env[name] = before
  }
}

/** The browser runs what sites send: it gets none of our settings. */
function withoutSecrets(env: NodeJS.ProcessEnv): Record<string, string> {
  return Object.fromEntries(
    Object.entries(env).filter((entry): entry is [string, string] => {
      return entry[1] !== undefined && !/^(GAVEL_|PG)|DATABASE_URL|KEY|SECRET|TOKEN|PASSWORD|_proxy$/i.test(entry[0])
    }),
  )
}
