import type { IncomingMessage } from 'node:http'
import { expect, test } from 'vitest'
import { originOf } from '../../src/server/origin.ts'

const reached = (headers: IncomingMessage['headers'], localAddress = '127.0.0.1') =>
  originOf({ headers, socket: { localAddress, localPort: 4000 } as IncomingMessage['socket'] })

test('it is what the Host header says, and https where a proxy says so', () => {
  expect(reached({ host: 'localhost:4000' })).toBe('http://localhost:4000')
  expect(reached({ host: '[::1]:80' })).toBe('http://[::1]:80')
  expect(reached({ host: 'gavel.example', 'x-forwarded-proto': 'https' })).toBe('https://gavel.example')
  expect(reached({ host: 'api_1:80', 'x-forwarded-proto': 'HTTPS, http' })).toBe('https://api_1:80')
  expect(reached({ host: 'gavel.example', 'x-forwarded-proto': 'javascript' })).toBe('http://gavel.example')
})

test.each([
  undefined,
  '',
  'a b',
  'x@y',
  'evil.example/x',
  'x?y',
  'x#y',
  '[::1',
  'a:b',
  'a:123456',
  '"',
  '.',
  'ä.example',
])('it is the address of the socket where the Host header is %j', (host) => {
  expect(reached({ host })).toBe('http://127.0.0.1:4000')
  expect(reached({ host }, '::1')).toBe('http://[::1]:4000')
})
