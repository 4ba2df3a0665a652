import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { findBinaries } from '../../../src/db/embedded/binaries.ts'
import { ensureCluster } from '../../../src/db/embedded/cluster.ts'
import { embeddedFolder, gone, groupOf, query } from '../../support/embedded.ts'

let folder: Awaited<ReturnType<typeof embeddedFolder>>

beforeEach(async () => {
  folder = await embeddedFolder()
})

afterEach(async () => {
  await folder.clear()
})

test('the first use makes a database behind a password, on the loopback alone', async () => {
  const user = folder.user()
  const url = new URL(await user.url())
  expect([url.protocol, url.hostname, url.username, url.pathname]).toEqual([
    'postgres:',
    '127.0.0.1',
    'gavel',
    '/gavel',
  ])
  const settings = await query(
    url.href,
    `select string_agg(name || '=' || setting, ',' order by name) as list, current_database() as database
     from pg_settings
     where name in ('max_connections', 'unix_socket_directories', 'listen_addresses', 'server_encoding', 'lc_messages', 'fsync')`,
  )
  expect(settings).toEqual([
    {
      database: 'gavel',
      list: 'fsync=on,lc_messages=C,listen_addresses=127.0.0.1,max_connections=200,server_encoding=UTF8,unix_socket_directories=',
    },
  ])
  const wrong = new URL(url)
  wrong.password = 'guess'
  await expect(query(wrong.href, 'select')).rejects.toThrow('password authentication failed')
  expect((await stat(join(folder.home.folder, 'password'))).mode & 0o777).toBe(0o600)
  expect((await stat(folder.home.folder)).mode & 0o777).toBe(0o700)
  await user.say('close')
  expect(existsSync(folder.pidFile)).toBe(false)
})

test('the starter is killed and another user goes on; the last one leaves and the server stops with all rows', async () => {
  const starter = folder.user()
  const url = await starter.url()
  const other = folder.user()
  expect(await other.url()).toBe(url)
  await query(url, 'create table kept as select 7 as value')
  await starter.kill('SIGKILL')
  const third = folder.user()
  expect(await third.url()).toBe(url)
  await third.say('close')
  const pid = folder.serverPid()
  expect(await query(url, 'select value from kept')).toEqual([{ value: 7 }])
  await other.say('close')
  expect(gone(pid)).toBe(true)
  await folder.stopped()
  expect(await query(await folder.user().url(), 'select value from kept')).toEqual([{ value: 7 }])
})

test.each([
  ['is killed', 'SIGKILL'],
  ['is told to end and has no handler', 'SIGTERM'],
  ['exits without a word', null],
] as const)('the server stops in order when its only user %s', async (_, signal) => {
  const user = folder.user()
  await user.url()
  const pid = folder.serverPid()
  await (signal === null ? user.say('exit') : user.kill(signal))
  await folder.stopped()
  expect(gone(pid)).toBe(true)
  expect(folder.serverLog()).toContain('database system is shut down')
})

test('Ctrl-C on the starter does not reach the server', async () => {
  const starter = folder.user()
  const url = await starter.url()
  const other = folder.user()
  await other.url()
  await starter.kill('SIGINT')
  expect(await query(url, 'select 1 as one')).toEqual([{ one: 1 }])
  expect(folder.serverLog()).not.toContain('shutdown request')
})

test('a killed server comes back under the same address with its rows', async () => {
  const url = await folder.user().url()
  await query(url, 'create table kept as select 7 as value')
  const before = folder.serverPid()
  process.kill(before, 'SIGKILL')
  await expect
    .poll(() => query(url, 'select value from kept').catch(String), { timeout: 20_000 })
    .toEqual([{ value: 7 }])
  expect(folder.serverPid()).not.toBe(before)
})

test('a new user finds a killed server come back, and joins it', async () => {
  const url = await folder.user().url()
  process.kill(folder.serverPid(), 'SIGKILL')
  expect(await folder.user().url()).toBe(url)
})

test('keeper and server are killed: the next user starts them again, and the old user counts still', async () => {
  const old = folder.user()
  const url = await old.url()
  await query(url, 'create table kept as select 7 as value')
  const pid = folder.serverPid()
  process.kill(-groupOf(pid).leader, 'SIGKILL')
  await expect.poll(() => gone(pid)).toBe(true)
  const next = folder.user()
  expect(await next.url()).toBe(url)
  await next.say('close')
  expect(await query(url, 'select value from kept')).toEqual([{ value: 7 }])
  await old.say('close')
  await folder.stopped()
})

test('a keeper is killed alone: the next user takes its server down and up again', async () => {
  const url = await folder.user().url()
  const server = folder.serverPid()
  // The shell and its door keeper: all of the group but the server and what the server has forked.
  const shells = groupOf(server).members.filter(({ pid, parent }) => pid !== server && parent !== server)
  expect(shells.length).toBe(2)
  for (const { pid } of shells) process.kill(pid, 'SIGKILL')
  await expect.poll(() => shells.every(({ pid }) => gone(pid))).toBe(true)
  expect(gone(server)).toBe(false)
  expect(await folder.user().url()).toBe(url)
  expect(gone(server)).toBe(true)
})

test('six that start at once share one server', async () => {
  const users = Array.from({ length: 6 }, () => folder.user())
  const urls = await Promise.all(users.map((user) => user.url()))
  expect(new Set(urls).size).toBe(1)
  const count = (text: string) => users.filter((user) => user.log.includes(text)).length
  expect([count('embedded Postgres started'), count('embedded Postgres joined')]).toEqual([1, 5])
  await Promise.all(users.map((user) => user.say('close')))
  await folder.stopped()
  expect((await readdir(folder.home.folder)).sort()).toEqual(['data', 'password', 'port', 'server.log'])
})

test('users that come and go at once always find a server, and none is left', async () => {
  const round = async () => {
    for (let n = 0; n < 4; n += 1) {
      const user = folder.user()
      expect(await query(await user.url(), 'select 1 as one')).toEqual([{ one: 1 }])
      await (n % 2 === 0 ? user.kill('SIGKILL') : user.say('close'))
    }
  }
  await Promise.all([round(), round(), round()])
  await folder.stopped()
})

test('a killed initdb is done again from the beginning', async () => {
  const killed = folder.user()
  await expect
    .poll(async () => (await readdir(folder.home.folder).catch(() => [])).some((name) => name.includes('.init-')), {
      timeout: 20_000,
      interval: 2,
    })
    .toBe(true)
  await killed.kill('SIGKILL')
  expect(existsSync(join(folder.home.folder, 'data'))).toBe(false)
  // What it leaves when killed a little later.
  await mkdir(join(folder.home.folder, 'data.init-later'))
  await writeFile(join(folder.home.folder, 'data.init-later', 'PG_VERSION'), '18\n')
  expect(await query(await folder.user().url(), 'select 1 as one')).toEqual([{ one: 1 }])
  expect((await readdir(folder.home.folder)).filter((name) => name.includes('.init-'))).toEqual([])
})

test.each([
  ['a process that never was', async () => ({ pid: 4_999_999, end: async () => {} })],
  ['a stranger that has its id now', async () => ({ pid: process.pid, end: async () => {} })],
  ['a dead process that nobody reaps', zombie],
])('a pid file that names %s does not stop the start', async (_, process) => {
  await mkdir(folder.home.folder, { recursive: true })
  const { pid, end } = await process()
  const user = folder.user()
  await user.url()
  await user.say('close')
  await writeFile(folder.pidFile, `${pid}\n${folder.home.folder}/data\n1\n2\n\n\n\nready   \n`)
  expect(await query(await folder.user().url(), 'select 1 as one')).toEqual([{ one: 1 }])
  await end()
})

test('a port that is taken is given up for another', async () => {
  const stranger = createServer((socket) => socket.destroy())
  await once(stranger.listen(0, '127.0.0.1'), 'listening')
  const { port } = stranger.address() as { port: number }
  const first = folder.user()
  await first.url()
  await first.say('close')
  await writeFile(join(folder.home.folder, 'port'), String(port))
  const url = new URL(await folder.user().url())
  expect(url.port).not.toBe(String(port))
  expect(await readFile(join(folder.home.folder, 'port'), 'utf8')).toBe(url.port)
  stranger.close()
})

test('a server that cannot start says why', async () => {
  const first = folder.user()
  await first.url()
  await first.say('close')
  await writeFile(join(folder.home.folder, 'data', 'postgresql.conf'), 'no_such_setting = 1\n')
  const second = folder.user()
  await second.ended()
  expect(second.process.exitCode).toBe(1)
  expect(second.log).toMatch(/EmbeddedError: .* does not start: .*no_such_setting/)
})

test('a cluster whose password is lost says how to go on', async () => {
  const binaries = await findBinaries(folder.home)
  await mkdir(join(folder.home.folder, 'data'), { recursive: true })
  await expect(ensureCluster(folder.home, binaries)).rejects.toThrow('password is missing: put it back')
})

/** A child that has ended under a parent that never asks for it. */
async function zombie(): Promise<{ pid: number; end: () => Promise<void> }> {
  const parent = spawn('sh', ['-c', 'true & echo $!; exec sleep 60'], { stdio: ['ignore', 'pipe', 'ignore'] })
  const [line] = (await once(parent.stdout, 'data')) as [Buffer]
  return {
    pid: Number(line.toString()),
    async end() {
      parent.kill('SIGKILL')
      await once(parent, 'exit')
    },
  }
}
