import type { LookupAddress } from 'node:dns'
import type { LookupFunction } from 'node:net'
import { describe, expect, test } from 'vitest'
import { createGuard, hostPort, privateHostReason } from '../../../src/engine/fetch/guard.ts'

const guard = createGuard({ allow: ['127.0.0.1:4100', 'inside.example:80', '[::1]:4100'] })

describe('literal addresses', () => {
  test.each([
    '127.0.0.1',
    '127.1',
    '0x7f.1',
    '2130706433',
    '017700000001',
    '①②⑦.0.0.1',
    '0.0.0.0',
    '10.1.2.3',
    '172.16.0.1',
    '192.168.1.1',
    '100.64.0.1',
    '169.254.169.254',
    '192.0.0.8',
    '198.18.0.1',
    '203.0.113.7',
    '224.0.0.1',
    '240.0.0.1',
    '255.255.255.255',
    '[::]',
    '[::1]',
    '[::127.0.0.1]',
    '[::ffff:127.0.0.1]',
    '[::ffff:8.8.8.8]',
    '[64:ff9b::7f00:1]',
    '[2002:7f00:1::]',
    '[2001::1]',
    '[2001:db8::1]',
    '[fc00::1]',
    '[fe80::1]',
    '[ff02::1]',
  ])('%s is refused', (host) => {
    expect(() => guard.checkUrl(`http://${host}/index.cfm`)).toThrow(expect.objectContaining({ code: 'INTERNAL' }))
    expect(privateHostReason(`http://${host}/`, [])).not.toBeNull()
    const { hostname } = new URL(`http://${host}/`)
    expect(() => guard.connectOptions(hostname, 80)).toThrow(expect.objectContaining({ code: 'INTERNAL' }))
  })

  test.each(['8.8.8.8', '[2606:4700::1111]'])('%s is public', (host) => {
    expect(guard.checkUrl(`https://${host}/`).hostname).toBe(host)
    expect(privateHostReason(`https://${host}/`, [])).toBeNull()
  })
})

describe('the text of a URL', () => {
  test.each([
    ['ftp://county.example/', 'is neither http nor https'],
    ['file:///etc/passwd', 'is neither http nor https'],
    ['https://clerk:secret@county.example/', 'carries credentials'],
    [`https://county.example/${'a'.repeat(2048)}`, 'has more than 2048 characters'],
  ])('%.40s is refused', (url, reason) => {
    expect(() => guard.checkUrl(url)).toThrow(reason)
    expect(() => guard.checkUrl(url)).not.toThrow('secret')
    expect(privateHostReason(url, [])).toBe(reason)
  })

  test('what is not a URL is refused, and this machine by its name', () => {
    expect(() => guard.checkUrl('county')).toThrow('not a URL')
    expect(privateHostReason('county', [])).toBe('is not a URL')
    expect(privateHostReason('http://localhost:3000/', [])).toBe('names this machine')
    expect(privateHostReason('http://a.localhost/', [])).toBe('names this machine')
  })

  test('a host has its port spelled out', () => {
    expect(hostPort(new URL('https://county.example/'))).toBe('county.example:443')
    expect(hostPort(new URL('http://county.example/'))).toBe('county.example:80')
    expect(hostPort(new URL('http://[::1]:8080/'))).toBe('[::1]:8080')
  })
})

describe('the allow list', () => {
  test('a pair of host and port is exempt, another port of the host is not', () => {
    expect(guard.checkUrl('http://127.0.0.1:4100/').port).toBe('4100')
    expect(guard.connectOptions('127.0.0.1', 4100)).toEqual({})
    expect(guard.connectOptions('[::1]', 4100)).toEqual({})
    expect(guard.connectOptions('::1', 4100)).toEqual({})
    expect(guard.connectOptions('INSIDE.example', 80)).toEqual({})
    expect(privateHostReason('http://127.0.0.1:4100/', ['127.0.0.1:4100'])).toBeNull()
    expect(() => guard.checkUrl('http://127.0.0.1:4101/')).toThrow('not public')
    expect(() => guard.connectOptions('127.0.0.1', 4101)).toThrow('not public')
    expect(privateHostReason('http://127.0.0.1:4101/', ['127.0.0.1:4100'])).not.toBeNull()
  })
})

describe('names, when they are resolved', () => {
  test('all addresses must be public: one that is not refuses the name', async () => {
    await expect(lookUp(['93.184.215.14', '10.0.0.5'], { all: true })).rejects.toThrow('not public (private)')
    await expect(lookUp(['10.0.0.5'], {})).rejects.toMatchObject({ code: 'INTERNAL' })
    await expect(lookUp([], {})).rejects.toThrow('has no address')
  })

  test('public addresses are handed on in the form that was asked for', async () => {
    expect(await lookUp(['93.184.215.14', '2606:4700::1111'], { all: true })).toEqual([
      { address: '93.184.215.14', family: 4 },
      { address: '2606:4700::1111', family: 6 },
    ])
    expect(await lookUp(['93.184.215.14'], {})).toBe('93.184.215.14')
  })

  test('this machine is refused by the real resolver', async () => {
    const { lookup } = createGuard({ allow: [] }).connectOptions('localhost', 80)
    await expect(ask(lookup!, { all: true })).rejects.toThrow('not public')
  })
})

function lookUp(addresses: string[], options: { all?: boolean }): Promise<string | LookupAddress[]> {
  const resolve: LookupFunction = (_host, _options, callback) =>
    callback(
      null,
      addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
    )
  const { lookup } = createGuard({ allow: [], resolve }).connectOptions('county.example', 443)
  return ask(lookup!, options)
}

function ask(lookup: LookupFunction, options: { all?: boolean }): Promise<string | LookupAddress[]> {
  return new Promise((done, fail) => {
    lookup('localhost', options, (error, address) => (error ? fail(error) : done(address)))
  })
}
