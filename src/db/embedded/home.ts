import { createHash } from 'node:crypto'
import { chmod, chown, mkdir, stat } from 'node:fs/promises'
import { homedir, tmpdir } from 'node:os'
import { dirname, join, resolve, sep } from 'node:path'
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
    if (!['EACCES', 'EPERM', 'EROFS', 'EEXIST', 'ENOTDIR', 'ENOENT'].includes(codeOf(error))) throw error
    throw new EmbeddedError(`${wanted} cannot be used by this account (${codeOf(error)}): set GAVEL_DATA_DIR`)
  }
  const folder = join(rootsPlace, createHash('sha256').update(root).digest('hex').slice(0, 16))
  await mkdir(rootsPlace, { recursive: true })
  const account = await serverAccount(await ownerOf(folder))
  await own(folder, account)
  if (!(await canEnter(account, folder))) throw new EmbeddedError(`account ${account.uid} cannot enter ${folder}`)
  return { folder, account }
}

/**
 * A private data folder of root's is opened to the server's group, for passing through only; so are private folders
 * above it that lie in the temporary folder, but never others.
 */
async function reachable(root: string, account: Account): Promise<boolean> {
  const scratch = resolve(tmpdir())
  const folders = [root]
  for (let above = dirname(root); above.startsWith(scratch + sep); above = dirname(above)) folders.unshift(above)
  for (const folder of folders) {
    if (await canEnter(account, folder)) continue
    const { uid, gid, mode } = await stat(folder)
    if (uid !== 0 || folder === homedir() || !(await canEnter(account, dirname(folder)))) return false
    await chown(folder, uid, account.gid ?? gid)
    await chmod(folder, (mode & 0o777) | 0o010)
  }
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
