import { createHash } from 'node:crypto'
import { chmod, chown, mkdir, stat } from 'node:fs/promises'
import { homedir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { type Account, canEnter, serverAccount } from './account.ts'
import { EmbeddedError } from './embeddedError.ts'
import { codeOf } from './processes.ts'

/** Where root's server lives when its account cannot reach the data folder. Not swept by age, as /var/tmp is. */
const rootsPlace = '/var/lib/gavel'

export interface Home {
  /** The folder of the cluster and all that belongs to it, mode 0700, owned by `account`. */
  folder: string
  account: Account
}

/**
 * Makes the server's folder: `DATADIR/postgres`; for root, whose server runs as another account, a folder under
 * /var/lib/gavel where that account cannot reach the data folder (a checkout under /root).
 */
export async function prepareHome(dataDir: string): Promise<Home> {
  const root = resolve(dataDir)
  const wanted = join(root, 'postgres')
  try {
    await mkdir(root, { recursive: true })
    const account = await serverAccount(await ownerOf(wanted))
    if (account.uid === undefined || (await reachable(root, account))) {
      await own(wanted, account)
      return { folder: wanted, account }
    }
  } catch (error) {
    if (!['EACCES', 'EPERM', 'EROFS'].includes(codeOf(error))) throw error
    throw new EmbeddedError(`${wanted} cannot be used by this account (${codeOf(error)}): set GAVEL_DATA_DIR`)
  }
  const folder = join(rootsPlace, createHash('sha256').update(root).digest('hex').slice(0, 16))
  await mkdir(rootsPlace, { recursive: true })
  const account = await serverAccount(await ownerOf(folder))
  await own(folder, account)
  if (!(await canEnter(account, folder))) throw new EmbeddedError(`account ${account.uid} cannot enter ${folder}`)
  return { folder, account }
}

/** A private data folder of root's is opened to the server's group, for passing through only; its parents never. */
async function reachable(root: string, account: Account): Promise<boolean> {
  if (await canEnter(account, root)) return true
  const { uid, gid, mode } = await stat(root)
  if (uid !== 0 || root === homedir() || !(await canEnter(account, dirname(root)))) return false
  await chown(root, uid, account.gid ?? gid)
  await chmod(root, (mode & 0o777) | 0o010)
  return await canEnter(account, root)
}

async function own(folder: string, account: Account): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 })
  await chmod(folder, 0o700)
  if (account.uid !== undefined) await chown(folder, account.uid, account.gid ?? account.uid)
}

async function ownerOf(folder: string): Promise<{ uid: number; gid: number } | null> {
  try {
    return await stat(folder)
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return null
    throw error
  }
}
