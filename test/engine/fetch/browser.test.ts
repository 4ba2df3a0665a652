import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { type BrowserHostOptions, createBrowserHost } from '../../../src/engine/fetch/browser.ts'
import { createGuard } from '../../../src/engine/fetch/guard.ts'
import { createLogger } from '../../../src/log.ts'
import { browserPatienceMs, testBrowser } from '../../support/browser.ts'
import { freePass } from '../../support/freePass.ts'

const endings: (() => unknown)[] = []
let tempDir: string

beforeAll(async () => void (await testBrowser()), browserPatienceMs)
beforeEach(async () => {
  tempDir = await mkdtemp(join(tmpdir(), 'gavel-test-'))
})
afterEach(async () => {
  for (const end of endings.splice(0)) await end()
  await rm(tempDir, { recursive: true })
})

function host(allow: string[], options: Partial<BrowserHostOptions> = {}) {
  const made = createBrowserHost({
    findBrowser: testBrowser,
    guard: createGuard({ allow }),
    politeness: freePass(),
    userAgent: 'Gavel test',
    log: createLogger('silent', 'test'),
    signal: new AbortController().signal,
    tempDir,
    ...options,
  })
  endings.push(() => made.close())
  return made
}

async function serve(listener: RequestListener): Promise<{ url: string; host: string }> {
  const server = createServer(listener).listen(0, '127.0.0.1')
  await once(server, 'listening')
  endings.unshift(() => {
    server.closeAllConnections()
    server.close()
  })
  const name = `127.0.0.1:${(server.address() as AddressInfo).port}`
  return { url: `http://${name}/`, host: name }
}

/** Processes that were started on this folder. */
const processes = () =>
  execFileSync('ps', ['-eo', 'args'], { encoding: 'utf8' })
    .split('\n')
    .filter((line) => line.includes(tempDir))

test('pages are read under our name, through the proxy with a turn for each, without images', async () => {
  const asked: (string | undefined)[] = []
  const site = await serve((request, response) => {
    asked.push(request.url, request.headers['user-agent'])
    response.setHeader('content-type', 'text/html')
    response.end(
      '<p>day</p><img src="/picture.png"><script>fetch("/load").then(() => { document.title = "read" })</script>',
    )
  })
  const politeness = freePass()
  const browser = host([site.host], { politeness })
  const context = await browser.context()
  const page = await context.newPage()
  await page.goto(site.url)
  await page.waitForFunction('document.title === "read"')
  expect(await page.textContent('p')).toBe('day')
  expect(asked).toEqual(['/', 'Gavel test', '/load', 'Gavel test'])
  expect(politeness.hosts).toEqual([site.host, site.host])
  await expect.poll(() => politeness.open).toBe(0)
})

test('contexts share no cookies', async () => {
  const site = await serve((request, response) => {
    response.setHeader('set-cookie', 'cfid=7')
    response.end(request.headers.cookie ?? 'none')
  })
  const browser = host([site.host])
  for (let visit = 0; visit < 2; visit++) {
    const context = await browser.context()
    const page = await context.newPage()
    await page.goto(site.url)
    expect(await page.textContent('body')).toBe('none')
    await page.goto(site.url)
    expect(await page.textContent('body')).toBe('cfid=7')
    await context.close()
  }
})

test('an address inside is out of reach: as a page, by a redirect and from a script, loopback included', async () => {
  let reached = 0
  const inside = await serve((_request, response) => response.end(String(reached++)))
  const site = await serve((request, response) => {
    if (request.url === '/redirect') return response.writeHead(302, { location: inside.url }).end()
    response.setHeader('content-type', 'text/html')
    return response.end(`<script>fetch('${inside.url}', { mode: 'no-cors' })
      .catch(() => { document.title = 'refused' })</script>`)
  })
  const browser = host([site.host])
  const context = await browser.context()
  for (const url of [inside.url, `${site.url}redirect`, inside.url.replace('127.0.0.1', 'localhost')]) {
    await expect((await context.newPage()).goto(url)).rejects.toThrow('net::ERR')
    expect(await browser.takeFault()).toMatchObject({ code: 'INTERNAL' })
    expect(await browser.takeFault()).toBeNull()
  }
  const page = await context.newPage()
  await page.goto(site.url)
  await page.waitForFunction('document.title === "refused"')
  expect(reached).toBe(0)
})

test('close ends the process and deletes its folder, and may be called again', async () => {
  const browser = host([])
  await browser.context()
  expect(processes()).not.toEqual([])
  expect(await readdir(tempDir)).toHaveLength(1)
  await Promise.all([browser.close(), browser.close()])
  expect(processes()).toEqual([])
  expect(await readdir(tempDir)).toEqual([])
  await expect(browser.context()).rejects.toThrow('closed')
})

test('an abort closes the browser, and what a page waits for ends', async () => {
  const controller = new AbortController()
  const site = await serve(() => controller.abort(new Error('cancelled')))
  const browser = host([site.host], { signal: controller.signal })
  const context = await browser.context()
  const page = await context.newPage()
  await expect(page.goto(site.url)).rejects.toThrow(/closed|net::ERR/)
  await expect.poll(processes).toEqual([])
  await expect(browser.context()).rejects.toThrow('cancelled')
})

test('a browser that crashed is started anew', async () => {
  const browser = host([])
  const context = await browser.context()
  const session = await context.browser()!.newBrowserCDPSession()
  await session.send('Browser.crash').catch(() => undefined)
  await expect.poll(() => context.browser()!.isConnected()).toBe(false)
  const page = await (await browser.context()).newPage()
  expect(await page.evaluate('1 + 1')).toBe(2)
})

test('no browser and one that does not start are NO_BROWSER, and leave nothing behind', async () => {
  const none = host([], { findBrowser: async () => null })
  await expect(none.context()).rejects.toMatchObject({ code: 'NO_BROWSER' })
  const broken = host([], { findBrowser: async () => ({ executablePath: '/bin/false', env: {} }) })
  await expect(broken.context()).rejects.toMatchObject({ code: 'NO_BROWSER' })
  expect(await readdir(tempDir)).toEqual([])
})
