import type { BrowserServer } from 'playwright'

/** A browser that can be started: its program, and what its environment needs beside the usual. */
export interface BrowserProgram {
  executablePath: string
  env: Record<string, string>
}

/** What came of trying one: the program that ran, or why it is of no use, in one line. */
export type Proof = { program: BrowserProgram; failure: null } | { program: null; failure: string }

const launchPatienceMs = 30_000
const textPatienceMs = 5_000

/**
 * Starts the browser and waits until a page shows text: one without fonts starts, and then draws text of no height,
 * which is never visible. `executablePath` null stands for Playwright's own; the proof names its path.
 */
export async function proveBrowser(executablePath: string | null, env: Record<string, string>): Promise<Proof> {
  // The dearest import of all, so only when a browser is looked for.
  const { chromium } = await import('playwright')
  let server: BrowserServer | null = null
  try {
    server = await launch(executablePath, env)
    const browser = await chromium.connect(server.wsEndpoint(), { timeout: launchPatienceMs })
    const page = await browser.newPage()
    await page.setContent('<p id="text">visible</p>', { timeout: textPatienceMs })
    await page.waitForSelector('#text', { state: 'visible', timeout: textPatienceMs })
    const path = server.process().spawnfile
    return { program: { executablePath: path, env }, failure: null }
  } catch (error) {
    if (!(error instanceof Error)) throw error
    return { program: null, failure: error.message.split('\n')[0] ?? error.name }
  } finally {
    await server?.close()
  }
}

/** In its sandbox where the system lets it: never for root, and not in every container. */
async function launch(executablePath: string | null, env: Record<string, string>): Promise<BrowserServer> {
  const { chromium } = await import('playwright')
  const start = (chromiumSandbox: boolean) =>
    chromium.launchServer({
      ...(executablePath === null ? {} : { executablePath }),
      env: { ...process.env, ...env },
      chromiumSandbox,
      host: '127.0.0.1',
      args: ['--disable-gpu', '--disable-quic'],
      // Playwright's own handlers close the browser and leave the process running.
      handleSIGTERM: false,
      handleSIGINT: false,
      handleSIGHUP: false,
      timeout: launchPatienceMs,
    })
  if (process.getuid?.() === 0) return await start(false)
  try {
    return await start(true)
  } catch (error) {
    // A browser that is not there fails once more without the sandbox, and says so.
    if (error instanceof Error) return await start(false)
    throw error
  }
}
