import { once } from 'node:events'
import { createServer, type RequestListener, type Server } from 'node:http'
import { type AddressInfo, createServer as createTcpServer } from 'node:net'
import { brotliCompressSync, gzipSync } from 'node:zlib'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { createGuard } from '../../../src/engine/fetch/guard.ts'
import { createHttpFetcher, type HttpFetcherOptions } from '../../../src/engine/fetch/http.ts'
import { userAgent } from '../../../src/engine/fetch/userAgent.ts'

const endings: (() => unknown)[] = []
afterEach(async () => {
  for (const end of endings.splice(0)) await end()
})

async function serve(listener: RequestListener): Promise<{ url: string; host: string; server: Server }> {
  const server = createServer(listener).listen(0, '127.0.0.1')
  await once(server, 'listening')
  endings.push(() => {
    server.closeAllConnections()
    server.close()
  })
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`
  return { url: `http://${host}/`, host, server }
}

function fetcher(allow: string[], options: Partial<HttpFetcherOptions> = {}) {
  const turns = { taken: 0, open: 0, hosts: new Set<string>() }
  const http = createHttpFetcher({
    guard: createGuard({ allow }),
    politeness: {
      acquire: async (host) => {
        turns.taken++
        turns.open++
        turns.hosts.add(host)
        return async () => void turns.open--
      },
      close: async () => {},
    },
    userAgent,
    signal: new AbortController().signal,
    deadline: () => 60_000,
    pausesMs: { fault: [1, 2], tooMany: [1, 2, 3] },
    ...options,
  })
  endings.push(() => http.close())
  return { http, turns }
}

describe('a page', () => {
  test('comes with status, headers and text in its own charset, asked for under our name', async () => {
    let agent: string | undefined
    const site = await serve((request, response) => {
      agent = request.headers['user-agent']
      response.writeHead(404, { 'content-type': 'text/html; charset=windows-1252' })
      response.end(Buffer.from([0x57, 0x96, 0x58]))
    })
    const { http, turns } = fetcher([site.host])
    const page = await http.session().get(site.url)
    expect(page).toMatchObject({ status: 404, text: 'W–X', retryAfterSeconds: null })
    expect(page.url.href).toBe(site.url)
    expect(page.headers['content-type']).toContain('windows-1252')
    expect(agent).toMatch(/^Mozilla\/5\.0 \(compatible; Gavel\/\d+\.\d+\.\d+; \+https:\/\/.+\)$/)
    expect([...turns.hosts]).toEqual([site.host])
    expect(turns.open).toBe(0)
  })

  test('is UTF-8 where the charset is not known, and decompressed', async () => {
    const site = await serve((_request, response) => {
      response.writeHead(200, { 'content-type': 'text/html; charset=nonsense', 'content-encoding': 'br' })
      response.end(brotliCompressSync('Peña'))
    })
    const { http } = fetcher([site.host])
    expect((await http.session().get(site.url)).text).toBe('Peña')
  })

  test('is not fetched through a proxy of the environment', async () => {
    vi.stubEnv('http_proxy', 'http://127.0.0.1:9/')
    vi.stubEnv('HTTP_PROXY', 'http://127.0.0.1:9/')
    endings.push(() => vi.unstubAllEnvs())
    const site = await serve((_request, response) => response.end('direct'))
    const { http } = fetcher([site.host])
    expect((await http.session().get(site.url)).text).toBe('direct')
  })
})

describe('a session', () => {
  test('keeps its cookies, over redirects too, and shares them with no other session', async () => {
    const site = await serve((request, response) => {
      if (request.url === '/')
        return response.writeHead(302, { 'set-cookie': 'cfid=7; Path=/', location: '/day' }).end()
      return response.end(request.headers.cookie ?? 'none')
    })
    const { http } = fetcher([site.host])
    const session = http.session()
    expect((await session.get(site.url)).text).toBe('cfid=7')
    expect((await session.get(`${site.url}again`)).text).toBe('cfid=7')
    expect((await http.session().get(`${site.url}again`)).text).toBe('none')
  })
})

describe('a form', () => {
  test('is posted as a browser does, with the session, and again after a fault; what it leads to is got', async () => {
    const asked: string[] = []
    const site = await serve((request, response) => {
      const chunks: Buffer[] = []
      request.on('data', (chunk: Buffer) => chunks.push(chunk))
      request.on('end', () => {
        const { method, url, headers } = request
        asked.push([method, url, headers['content-type'], headers.cookie, String(Buffer.concat(chunks))].join(' '))
        if (asked.length === 2) return response.writeHead(500).end()
        if (method === 'POST') return response.writeHead(307, { location: '/found' }).end()
        return response.writeHead(200, { 'set-cookie': 'id=7' }).end('there')
      })
    })
    const { http } = fetcher([site.host])
    const session = http.session()
    await session.get(site.url)
    const page = await session.post(`${site.url}search`, { IsOpen: 'false', 'Name of': 'A & B' })
    expect(page).toMatchObject({ status: 200, text: 'there' })
    const form = 'POST /search application/x-www-form-urlencoded id=7 IsOpen=false&Name+of=A+%26+B'
    expect(asked).toEqual(['GET /   ', form, form, 'GET /found  id=7 '])
  })

  test('is guarded like a page', async () => {
    const inside = await serve((_request, response) => response.end())
    const { http, turns } = fetcher([])
    await expect(http.session().post(inside.url, {})).rejects.toMatchObject({ code: 'INTERNAL' })
    expect(turns.taken).toBe(0)
  })
})

describe('redirects', () => {
  test('five are followed, a sixth is an HTTP error', async () => {
    const site = await serve((request, response) => {
      const left = Number(request.url?.slice(1))
      if (left === 0) return response.end('there')
      return response.writeHead(302, { location: `/${left - 1}` }).end()
    })
    const { http } = fetcher([site.host])
    expect((await http.session().get(`${site.url}5`)).text).toBe('there')
    await expect(http.session().get(`${site.url}6`)).rejects.toMatchObject({ code: 'HTTP_ERROR' })
  })

  test('each is guarded anew: one to an address inside is refused and not asked for', async () => {
    let asked = 0
    const inside = await serve((_request, response) => response.end(String(asked++)))
    const site = await serve((_request, response) => response.writeHead(302, { location: inside.url }).end())
    const { http, turns } = fetcher([site.host])
    await expect(http.session().get(site.url)).rejects.toMatchObject({ code: 'INTERNAL' })
    expect(asked).toBe(0)
    expect(turns.taken).toBe(1)
  })

  test('the caller may refuse one before it is followed', async () => {
    const site = await serve((_request, response) =>
      response.writeHead(302, { location: 'http://vendor.invalid/' }).end(),
    )
    const { http, turns } = fetcher([site.host])
    const session = http.session({
      onRedirect: (to) => {
        throw new Error(`not to ${to.host}`)
      },
    })
    await expect(session.get(site.url)).rejects.toThrow('not to vendor.invalid')
    expect(turns.taken).toBe(1)
  })
})

describe('the guard', () => {
  test('a literal address that is not on the list is not connected to', async () => {
    const site = await serve((_request, response) => response.end('inside'))
    const { http, turns } = fetcher([])
    await expect(http.session().get(site.url)).rejects.toMatchObject({ code: 'INTERNAL' })
    expect(turns.taken).toBe(0)
  })

  test('a name that resolves to this machine is refused when it is connected to', async () => {
    const site = await serve((_request, response) => response.end('inside'))
    const { http } = fetcher([])
    await expect(http.session().get(site.url.replace('127.0.0.1', 'localhost'))).rejects.toMatchObject({
      code: 'INTERNAL',
      message: expect.stringContaining('not public (loopback)'),
    })
  })
})

describe('caps', () => {
  test('a body is counted as it comes, whatever its Content-Length says', async () => {
    const site = await serve((_request, response) => response.end(Buffer.alloc(5000)))
    const { http, turns } = fetcher([site.host], { maxBytes: 4999 })
    await expect(http.session().get(site.url)).rejects.toMatchObject({ code: 'BODY_TOO_LARGE' })
    expect(turns.open).toBe(0)
    const enough = fetcher([site.host], { maxBytes: 5000 })
    expect((await enough.http.session().get(site.url)).text).toHaveLength(5000)
  })

  test('a small body that grows when it is decompressed is counted as it grows', async () => {
    const bomb = gzipSync(Buffer.alloc(8_000_000))
    const site = await serve((_request, response) => {
      response.writeHead(200, { 'content-encoding': 'gzip', 'content-length': bomb.length })
      response.end(bomb)
    })
    expect(bomb.length).toBeLessThan(100_000)
    const { http } = fetcher([site.host], { maxBytes: 100_000 })
    await expect(http.session().get(site.url)).rejects.toMatchObject({ code: 'BODY_TOO_LARGE' })
  })

  test('a site that never ends its answer is a TIMEOUT, tried again in between', async () => {
    let asked = 0
    const site = await serve((_request, response) => {
      asked++
      response.write('<html>')
    })
    const { http, turns } = fetcher([site.host], { timeoutMs: 50 })
    await expect(http.session().get(site.url)).rejects.toMatchObject({ code: 'TIMEOUT' })
    expect(asked).toBe(3)
    expect(turns).toMatchObject({ taken: 3, open: 0 })
  })

  test('an abort ends the request with its reason', async () => {
    const controller = new AbortController()
    const site = await serve(() => controller.abort(new Error('cancelled')))
    const { http, turns } = fetcher([site.host], { signal: controller.signal })
    await expect(http.session().get(site.url)).rejects.toThrow('cancelled')
    expect(turns.open).toBe(0)
  })
})

describe('faults that pass', () => {
  test('a connection that is cut twice is tried a third time', async () => {
    let asked = 0
    const site = await serve((request, response) => {
      if (++asked <= 2) return request.socket.destroy()
      return response.end('there')
    })
    const { http } = fetcher([site.host])
    expect((await http.session().get(site.url)).text).toBe('there')
    expect(asked).toBe(3)
  })

  test('a body that is cut or broken is a CONNECTION error', async () => {
    const cut = await serve((request, response) => {
      response.writeHead(200, { 'content-length': 100 }).write('half')
      setImmediate(() => request.socket.destroy())
    })
    await expect(fetcher([cut.host]).http.session().get(cut.url)).rejects.toMatchObject({ code: 'CONNECTION' })
    const broken = await serve((_request, response) => {
      response.writeHead(200, { 'content-encoding': 'gzip' }).end('no gzip at all')
    })
    await expect(fetcher([broken.host]).http.session().get(broken.url)).rejects.toMatchObject({ code: 'CONNECTION' })
  })

  test('nobody listening, or something else than HTTP, is a CONNECTION error', async () => {
    const site = await serve(() => {})
    site.server.close()
    await once(site.server, 'close')
    await expect(fetcher([site.host]).http.session().get(site.url)).rejects.toMatchObject({
      code: 'CONNECTION',
      message: `no connection to ${site.host}: ECONNREFUSED`,
    })
    const other = createTcpServer((socket) => {
      socket.on('error', () => socket.destroy())
      socket.end('SSH-2.0-none\r\n')
    }).listen(0, '127.0.0.1')
    await once(other, 'listening')
    endings.push(() => other.close())
    const host = `127.0.0.1:${(other.address() as AddressInfo).port}`
    await expect(fetcher([host]).http.session().get(`http://${host}/`)).rejects.toMatchObject({ code: 'CONNECTION' })
  })

  test('a 500 is asked again and then an HTTP_ERROR; a 403 is handed on at once', async () => {
    let asked = 0
    const site = await serve((request, response) => {
      asked++
      response.writeHead(request.url === '/' ? 500 : 403).end('no')
    })
    const { http } = fetcher([site.host])
    await expect(http.session().get(site.url)).rejects.toMatchObject({ code: 'HTTP_ERROR' })
    expect(asked).toBe(3)
    expect(await http.session().get(`${site.url}x`)).toMatchObject({ status: 403 })
    expect(asked).toBe(4)
  })
})

describe('sites that ask to wait', () => {
  test.each([429, 503])('a %i with Retry-After is waited for in place, without a turn', async (status) => {
    let asked = 0
    const site = await serve((_request, response) => {
      if (++asked === 1) return response.writeHead(status, { 'retry-after': '1' }).end()
      return response.end('there')
    })
    const openWhileWaiting: number[] = []
    const waits: unknown[] = []
    const made = fetcher([site.host], {
      onWait: (wait) => {
        waits.push(wait)
        openWhileWaiting.push(made.turns.open)
      },
    })
    expect((await made.http.session().get(site.url)).text).toBe('there')
    expect(waits).toEqual([{ url: site.url, seconds: 1, reason: expect.stringContaining(String(status)) }])
    expect(openWhileWaiting).toEqual([0])
  })

  test.each([
    [429, 'BLOCKED'],
    [503, 'HTTP_ERROR'],
  ])('a %i that asks for more than is left of the attempt is thrown with the seconds', async (status, code) => {
    const site = await serve((_request, response) => response.writeHead(status, { 'retry-after': '61' }).end())
    const { http } = fetcher([site.host])
    await expect(http.session().get(site.url)).rejects.toMatchObject({ code, detail: { retryAfterSeconds: 61 } })
  })

  test('a site that asks for one wait after the other is not waited for endlessly', async () => {
    let asked = 0
    const site = await serve((_request, response) => {
      asked++
      response.writeHead(429, { 'retry-after': '0' }).end()
    })
    const { http } = fetcher([site.host])
    const error = await http
      .session()
      .get(site.url)
      .catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ code: 'BLOCKED' })
    expect(error).not.toHaveProperty('detail.retryAfterSeconds')
    expect(asked).toBe(11)
  })

  test('a 429 that names no time is asked again a few times, longer each time, and then BLOCKED', async () => {
    const site = await serve((_request, response) => response.writeHead(429).end())
    const seconds: number[] = []
    const { http } = fetcher([site.host], { onWait: (wait) => seconds.push(wait.seconds) })
    await expect(http.session().get(site.url)).rejects.toMatchObject({ code: 'BLOCKED' })
    expect(seconds).toEqual([0.001, 0.002, 0.003])
  })

  test('an abort ends the wait', async () => {
    const controller = new AbortController()
    const site = await serve((_request, response) => response.writeHead(503, { 'retry-after': '50' }).end())
    const { http } = fetcher([site.host], {
      signal: controller.signal,
      onWait: () => controller.abort(new Error('cancelled')),
    })
    await expect(http.session().get(site.url)).rejects.toThrow('cancelled')
  })
})
