// Usage: node scripts/setup.mjs SCRIPT [args]
//
// Makes a fresh checkout ready and runs a script of package.json there: installs the packages when the lock file says
// so, proves the pinned Node among them, and starts the script's command in a new shell. A new one, because a shell
// remembers for its lifetime which `node` it found first: the one from before the packages were there.
//
// Runs on any Node from 20 on, with built-ins alone.
import { spawn, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  existsSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { constants } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const stampFile = join(root, 'node_modules', '.gavel-stamp')
const lockFolder = join(root, '.gavel')
const lockFile = join(lockFolder, 'setup.lock')
const lockPatience = 15 * 60_000

/** The lines of Node that the packages bring: 24, and 26 for macOS, where there is no newer 24. */
const pinnedMajors = ['24', '26']

const [script, ...given] = process.argv.slice(2)
// npm hands on what stands behind its own `--` without it.
const args = given[0] === '--' ? given.slice(1) : given

if (Number.parseInt(process.versions.node, 10) < 20) {
  fail(`Gavel needs Node 20 or newer to begin with; this is ${process.versions.node}`)
} else if (script === undefined) {
  fail('usage: node scripts/setup.mjs SCRIPT [args]')
} else {
  await run()
}

async function run() {
  if (!isInstalled()) {
    const release = await lock()
    try {
      if (!isInstalled() && !(await install())) return
    } finally {
      release()
    }
  }
  if (!provePinnedNode()) return
  const child = startScript()
  if (child === null) return
  const { code, signal } = await ended(child)
  if (signal !== null) process.kill(process.pid, signal)
  process.exitCode = signal === null ? code : signalCode(signal)
}

function isInstalled() {
  return existsSync(stampFile) && readFileSync(stampFile, 'utf8') === stamp()
}

function stamp() {
  const lockText = readFileSync(join(root, 'package-lock.json'))
  return createHash('sha256').update(lockText).update(`\n${process.platform} ${process.arch}`).digest('hex')
}

/** Installs what the lock file names; npm is heard only when it fails. */
async function install() {
  const began = Date.now()
  process.stderr.write('Installing packages ... ')
  rmSync(stampFile, { force: true })
  const child = startNpm(
    [
      'ci',
      // No package's own scripts: what those of ours would do, Gavel does itself.
      '--ignore-scripts',
      '--prefer-offline',
      '--no-audit',
      '--no-fund',
      '--loglevel=error',
      // Whatever NODE_ENV says: the tests' tools are development packages, the pinned Node is an optional one.
      '--include=dev',
      '--include=optional',
    ],
    'pipe',
  )
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += chunk))
  const { code, signal } = await ended(child)
  const seconds = ((Date.now() - began) / 1000).toFixed(1)
  if (code !== 0) {
    process.stderr.write(`failed after ${seconds} s\n${output}`)
    fail(`npm ci ended with ${signal === null ? `code ${code}` : signal}`, signal === null ? 1 : signalCode(signal))
    return false
  }
  writeFileSync(stampFile, stamp())
  process.stderr.write(`done in ${seconds} s\n`)
  return true
}

/** The packages bring a Node for the common platforms; elsewhere the machine's own has to be of the same line. */
function provePinnedNode() {
  const windows = process.platform === 'win32'
  const pinned = join(root, 'node_modules', '.bin', windows ? 'node.cmd' : 'node')
  const node = existsSync(pinned) ? pinned : process.execPath
  const { stdout, error } = spawnSync(node, ['-v'], { encoding: 'utf8', shell: windows && node === pinned })
  const version = (stdout || '').trim()
  if (pinnedMajors.includes(version.slice(1).split('.')[0])) return true
  fail(
    `${node} should be Node ${pinnedMajors.join(' or ')}, but ${error ? error.message : `says ${version || 'nothing'}`}`,
  )
  return false
}

/**
 * As `npm run` would, but without npm and, for a simple command, without a shell in between: npm passes signals on to
 * its shell only, which dies of them and leaves the command behind.
 */
function startScript() {
  if (process.platform === 'win32') return startNpm(['run', '-s', script, '--', ...args], 'inherit')
  const command = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).scripts[script]
  if (command === undefined) {
    fail(`package.json has no script ${script}`)
    return null
  }
  const line = /[;&|]/.test(command) ? `${command} "$@"` : `exec ${command} "$@"`
  const path = `${join(root, 'node_modules', '.bin')}:${process.env.PATH}`
  return spawn('/bin/sh', ['-c', line, script, ...args], {
    cwd: root,
    stdio: 'inherit',
    env: { ...process.env, PATH: path },
  })
}

function startNpm(npmArgs, stdio) {
  const cli = process.env.npm_execpath
  const options = { cwd: root, stdio: ['inherit', stdio, stdio] }
  if (cli !== undefined && /\.c?js$/.test(cli)) return spawn(process.execPath, [cli, ...npmArgs], options)
  return spawn('npm', npmArgs, { ...options, shell: process.platform === 'win32' })
}

/** Waits for the child; passes on to it the signals that come meanwhile. */
async function ended(child) {
  // What Ctrl-C sends has gone to all processes of the terminal already.
  const terminal = process.stdin.isTTY || process.stdout.isTTY || process.stderr.isTTY
  const handlers = ['SIGINT', 'SIGTERM', 'SIGHUP'].map((signal) => {
    const handler = () => {
      if (signal !== 'SIGINT' || !terminal) child.kill(signal)
    }
    process.on(signal, handler)
    return [signal, handler]
  })
  // The shell between npm and us, once ended by a signal, has passed none on.
  const parent = process.ppid
  const watch = setInterval(() => {
    if (process.ppid !== parent) child.kill('SIGTERM')
  }, 500)
  try {
    return await new Promise((resolve, reject) => {
      child.once('error', reject)
      child.once('close', (code, signal) => resolve({ code, signal }))
    })
  } finally {
    clearInterval(watch)
    for (const [signal, handler] of handlers) process.off(signal, handler)
  }
}

/**
 * One set-up at a time in a checkout. The lock is a link whose text is the process that holds it: made whole or not at
 * all. One whose holder has gone is moved away; should somebody else's fresh one have been moved so, it is put back.
 */
async function lock() {
  mkdirSync(lockFolder, { recursive: true })
  const deadline = Date.now() + lockPatience
  for (let waits = 0; ; waits += 1) {
    if (!failsWith('EEXIST', () => symlinkSync(String(process.pid), lockFile))) return () => rmSync(lockFile)
    const holder = readLock(lockFile)
    if (holder !== null && !isAlive(Number(holder))) moveAway(holder)
    else {
      if (waits === 0) process.stderr.write('Waiting for another set-up of this checkout ...\n')
      if (Date.now() > deadline) throw new Error(`process ${holder} keeps ${lockFile}: end it, or remove the file`)
      await delay(100)
    }
  }
}

function moveAway(holder) {
  const moved = `${lockFile}.${process.pid}`
  if (failsWith('ENOENT', () => renameSync(lockFile, moved))) return
  const found = readLock(moved)
  if (found !== holder) failsWith('EEXIST', () => symlinkSync(found, lockFile))
  rmSync(moved)
}

function readLock(file) {
  let holder = null
  failsWith('ENOENT', () => {
    holder = readlinkSync(file)
  })
  return holder
}

function isAlive(pid) {
  // EPERM would mean that it is there, but another account's.
  return !failsWith('ESRCH', () => failsWith('EPERM', () => process.kill(pid, 0)))
}

/** Whether the work fails in this way; any other failure is thrown. */
function failsWith(code, work) {
  try {
    work()
    return false
  } catch (error) {
    if (error.code === code) return true
    throw error
  }
}

function signalCode(signal) {
  return 128 + constants.signals[signal]
}

function fail(message, code = 1) {
  process.stderr.write(`${message}\n`)
  process.exitCode = code
}
