import { once } from 'node:events'
import { createServer, type IncomingMessage, type RequestListener, request } from 'node:http'
import { type AddressInfo, createServer as createTcpServer, type Socket } from 'node:net'
import { afterEach, describe, expect, test } from 'vitest'
import { createGuard } from '../../../src/engine/fetch/guard.ts'
import { type GuardedProxy, openGuardedProxy, type ProxyOptions } from '../../../src/engine/fetch/proxy.ts'
import { freePass } from '../../support/freePass.ts'

const endings: (() => unknown)[] = []
afterEach(async () => {
  for (const end of endings.splice(0).toReversed()) await end()
})

async function open(allow: string[], options: Partial<ProxyOptions> = {}) {
  const politeness = freePass()
  const proxy = await openGuardedProxy({
    guard: createGuard({ allow }),
    politeness,
    signal: new AbortController().signal,
    ...options,
  })
  endings.push(() => proxy.close())
  return { proxy, politeness }
}

async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener).listen(0, '127.0.0.1')
  await once(server, 'listening')
  endings.push(() => {
    server.closeAllConnections()
    server.close()
  })
  return `127.0.0.1:${(server.address() as AddressInfo).port}`
}

async function serveTcp(listener: (socket: Socket) => void): Promise<string> {
  const server = createTcpServer((socket) => {
    socket.on('error', () => socket.destroy())
    listener(socket)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  endings.push(() => server.close())
  return `127.0.0.1:${(server.address() as AddressInfo).port}`
}

const credentials = (proxy: GuardedProxy, password = proxy.password) => ({
  'proxy-authorization': `Basic ${Buffer.from(`${proxy.username}:${password}`).toString('base64')}`,
})

async function get(proxy: GuardedProxy, url: string, headers: Record<string, string> = credentials(proxy)) {
  const asked = request(proxy.server, { path: url, headers: { connection: 'close', ...headers } }).end()
  const [answer] = (await once(asked, 'response')) as [IncomingMessage]
  let text = ''
  for await (const chunk of answer.setEncoding('utf8')) text += String(chunk)
  return { status: answer.statusCode, headers: answer.headers, text }
}

async function connectTo(proxy: GuardedProxy, target: string, headers = credentials(proxy)) {
  const asked = request(proxy.server, { method: 'CONNECT', path: target, headers }).end()
  const [answer, socket] = (await once(asked, 'connect')) as [IncomingMessage, Socket]
  endings.push(() => socket.destroy())
  return { status: answer.statusCode, socket }
}

describe('credentials', () => {
  test('nothing passes without them', async () => {
    let reached = 0
    const site = await serve((_request, response) => response.end(String(reached++)))
    const { proxy } = await open([site])
    expect(await get(proxy, `http://${site}/`, {})).toMatchObject({ status: 407 })
    expect(await get(proxy, `http://${site}/`, credentials(proxy, 'guessed'))).toMatchObject({ status: 407 })
    expect(await connectTo(proxy, site, credentials(proxy, 'guessed'))).toMatchObject({ status: 407 })
    expect(reached).toBe(0)
  })
})

describe('plain requests', () => {
  test('pass with what concerns the site, and take one turn each', async () => {
    const heard: unknown[] = []
    const site = await serve((request, response) => {
      heard.push(request.method, request.url, request.headers)
      response.setHeader('set-cookie', ['a=1', 'b=2'])
      response.end('day')
    })
    const { proxy, politeness } = await open([site])
    const answer = await get(proxy, `http://${site}/index.cfm?a=1`, { ...credentials(proxy), cookie: 'cfid=7' })
    expect(answer).toMatchObject({ status: 200, text: 'day', headers: { 'set-cookie': ['a=1', 'b=2'] } })
    expect(heard.slice(0, 2)).toEqual(['GET', '/index.cfm?a=1'])
    expect(heard[2]).toMatchObject({ cookie: 'cfid=7' })
    expect(heard[2]).not.toHaveProperty('proxy-authorization')
    expect(politeness.hosts).toEqual([site])
    await expect.poll(() => politeness.open).toBe(0)
  })

  test('to an address inside are refused, and the fault is told once', async () => {
    const { proxy, politeness } = await open([])
    await expect(get(proxy, 'http://127.0.0.1:9/')).rejects.toThrow('socket hang up')
    expect(proxy.takeFault()).toMatchObject({ code: 'INTERNAL' })
    expect(proxy.takeFault()).toBeNull()
    expect(politeness.hosts).toEqual([])
    await expect(get(proxy, 'http://localhost:9/')).rejects.toThrow('socket hang up')
    expect(proxy.takeFault()).toMatchObject({ code: 'INTERNAL' })
    await expect.poll(() => politeness.open).toBe(0)
  })

  test('are cut off at the cap on bytes and on time', async () => {
    const site = await serve((request, response) => {
      if (request.url === '/large') response.end(Buffer.alloc(200_000))
    })
    const { proxy, politeness } = await open([site], { maxBytes: 100_000, timeoutMs: 200 })
    await expect(get(proxy, `http://${site}/large`)).rejects.toThrow('aborted')
    expect(proxy.takeFault()).toMatchObject({ code: 'BODY_TOO_LARGE' })
    await expect(get(proxy, `http://${site}/silent`)).rejects.toThrow('socket hang up')
    expect(proxy.takeFault()).toMatchObject({ code: 'TIMEOUT' })
    await expect.poll(() => politeness.open).toBe(0)
  })

  test('to nobody are CONNECTION faults', async () => {
    const site = await serveTcp((socket) => socket.destroy())
    const { proxy } = await open([site])
    await expect(get(proxy, `http://${site}/`)).rejects.toThrow('socket hang up')
    expect(proxy.takeFault()).toMatchObject({ code: 'CONNECTION' })
  })

  test('that are given up give their turn back', async () => {
    const site = await serve(() => asked.destroy())
    const { proxy, politeness } = await open([site])
    const asked = request(proxy.server, { path: `http://${site}/`, headers: credentials(proxy) }).end()
    await once(asked, 'error')
    await expect.poll(() => politeness.hosts).toHaveLength(1)
    await expect.poll(() => politeness.open).toBe(0)
    expect(proxy.takeFault()).toBeNull()
  })
})

describe('tunnels', () => {
  test('carry bytes both ways and hold a turn while they are open', async () => {
    const site = await serveTcp((socket) => socket.pipe(socket))
    const { proxy, politeness } = await open([site])
    const { status, socket } = await connectTo(proxy, site)
    expect(status).toBe(200)
    socket.write('hello')
    expect(String((await once(socket, 'data'))[0])).toBe('hello')
    expect(politeness).toMatchObject({ hosts: [site], open: 1 })
    socket.end()
    await expect.poll(() => politeness.open).toBe(0)
  })

  test('to an address inside are refused', async () => {
    const { proxy, politeness } = await open([])
    for (const target of ['127.0.0.1:443', '[::1]:443', 'localhost:443', '2130706433:443']) {
      await expect(connectTo(proxy, target)).rejects.toThrow('socket hang up')
      expect(proxy.takeFault()).toMatchObject({ code: 'INTERNAL' })
    }
    await expect.poll(() => politeness.open).toBe(0)
  })

  test('that nobody uses any more end and give their turn back', async () => {
    const site = await serveTcp((socket) => socket.pipe(socket))
    const { proxy, politeness } = await open([site], { idleMs: 20 })
    const { socket } = await connectTo(proxy, site)
    socket.write('hello')
    socket.resume()
    await once(socket, 'close')
    await expect.poll(() => politeness.open).toBe(0)
    expect(proxy.takeFault()).toBeNull()
  })

  test('are cut off at the cap on bytes, and when they are not answered', async () => {
    const site = await serveTcp((socket) => {
      socket.on('data', (chunk) => chunk.length > 1 && socket.write(Buffer.alloc(200_000)))
    })
    const { proxy, politeness } = await open([site], { maxBytes: 100_000, timeoutMs: 100 })
    const large = await connectTo(proxy, site)
    large.socket.on('error', () => large.socket.destroy()).resume()
    large.socket.write('much')
    await once(large.socket, 'close')
    expect(proxy.takeFault()).toMatchObject({ code: 'BODY_TOO_LARGE' })
    const silent = await connectTo(proxy, site)
    silent.socket.on('error', () => silent.socket.destroy()).resume()
    silent.socket.write('?')
    await once(silent.socket, 'close')
    expect(proxy.takeFault()).toMatchObject({ code: 'TIMEOUT' })
    await expect.poll(() => politeness.open).toBe(0)
  })
})

test('closing cuts what is open', async () => {
  const site = await serveTcp((socket) => socket.pipe(socket))
  const { proxy, politeness } = await open([site])
  const { socket } = await connectTo(proxy, site)
  socket.on('error', () => socket.destroy()).resume()
  const closed = once(socket, 'close')
  await proxy.close()
  await closed
  await expect.poll(() => politeness.open).toBe(0)
  await proxy.close()
})
