import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { chmod, cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'

const root = fileURLToPath(new URL('..', import.meta.url))
/** Says what it was given; ends with 7 when told to, and with 3 otherwise. */
const program = `
console.log(JSON.stringify(process.argv.slice(2)))
if (process.argv[2] === 'wait') {
  process.once('SIGTERM', () => {
    console.log('ended')
    process.exit(7)
  })
  setInterval(() => {}, 1000)
} else process.exitCode = 3
`

let checkout: string
let started: Run[]

beforeEach(async () => {
  checkout = await mkdtemp(join(tmpdir(), 'gavel-setup-'))
  started = []
})

afterEach(async () => {
  for (const run of started) run.child.kill('SIGKILL')
  await rm(checkout, { recursive: true, force: true, maxRetries: 5 })
})

describe('the set-up of a fresh checkout', () => {
  beforeEach(async () => {
    await cp(join(root, 'scripts', 'setup.mjs'), join(checkout, 'scripts', 'setup.mjs'))
    await writeFile(join(checkout, 'program.mjs'), program)
    // One package of the project's own: its `node` stands for the pinned one, and nothing is fetched.
    await pinnedNode(`exec ${JSON.stringify(process.execPath)} "$@"`)
    const manifest = {
      name: 'sample',
      version: '1.0.0',
      scripts: { try: 'node scripts/setup.mjs try:run', 'try:run': 'node program.mjs' },
      dependencies: { 'pinned-node': 'file:./pinned-node' },
    }
    await writeFile(join(checkout, 'package.json'), JSON.stringify(manifest))
    await writeFile(
      join(checkout, 'package-lock.json'),
      JSON.stringify({
        name: 'sample',
        version: '1.0.0',
        lockfileVersion: 3,
        packages: {
          '': { name: 'sample', version: '1.0.0', dependencies: manifest.dependencies },
          'node_modules/pinned-node': { resolved: 'pinned-node', link: true },
          'pinned-node': { version: '24.0.0', bin: { node: 'node.sh' } },
        },
      }),
    )
  })

  test('installs once, and hands on arguments, output and exit code', async () => {
    const first = npm('run', '-s', 'try', '--', '--keep', 'a b')
    expect(await first.ended()).toEqual([3, null])
    expect(first.stdout).toBe('["--keep","a b"]\n')
    expect(first.stderr).toMatch(/Installing packages \.\.\. done in \d+\.\d s\n/)
    const second = npm('run', '-s', 'try')
    expect(await second.ended()).toEqual([3, null])
    expect(second.stdout).toBe('[]\n')
    expect(second.stderr).not.toContain('Installing')
  })

  test('installs again when the lock file has changed', async () => {
    await setup('try:run').ended()
    const lockFile = join(checkout, 'package-lock.json')
    await writeFile(lockFile, `${await readFile(lockFile, 'utf8')}\n`)
    const again = setup('try:run', '--', 'x')
    expect(await again.ended()).toEqual([3, null])
    expect(again.stdout).toBe('["x"]\n')
    expect(again.stderr).toContain('Installing packages')
  })

  test('two that start at once install once', async () => {
    const both = [setup('try:run', '1'), setup('try:run', '2')]
    expect(await Promise.all(both.map((run) => run.ended()))).toEqual([
      [3, null],
      [3, null],
    ])
    expect(both.map((run) => run.stdout)).toEqual(['["1"]\n', '["2"]\n'])
    expect(both.filter((run) => run.stderr.includes('Installing packages')).length).toBe(1)
  })

  test('a lock that a dead set-up left is taken over', async () => {
    await mkdir(join(checkout, '.gavel'))
    await symlink('4999999', join(checkout, '.gavel', 'setup.lock'))
    const run = setup('try:run')
    expect(await run.ended()).toEqual([3, null])
    expect(run.stderr).not.toContain('Waiting')
  })

  test('a signal goes on to the script, whose exit code comes back', async () => {
    const run = setup('try:run', 'wait')
    await vi.waitUntil(() => run.stdout.includes('["wait"]'), { timeout: 20_000 })
    run.child.kill('SIGTERM')
    expect(await run.ended()).toEqual([7, null])
  })

  test('when the npm that started it is ended, so is the script', async () => {
    const run = npm('run', '-s', 'try', '--', 'wait')
    await vi.waitUntil(() => run.stdout.includes('["wait"]'), { timeout: 20_000 })
    run.child.kill('SIGTERM')
    await run.ended()
    // The pipe is open as long as the script has it.
    expect(run.stdout).toMatch(/ended\n$/)
  })

  test('when npm fails, what it said is shown and nothing is run', async () => {
    await writeFile(join(checkout, 'package-lock.json'), '{"lockfileVersion":3,"packages":{}}')
    const run = setup('try:run')
    expect(await run.ended()).toEqual([1, null])
    expect(run.stdout).toBe('')
    expect(run.stderr).toMatch(/failed after .*\n[^]*npm error[^]*npm ci ended with code 1\n$/)
    expect(existsSync(join(checkout, '.gavel', 'setup.lock'))).toBe(false)
  })

  test('a pinned Node that is not the right one is an error of one line', async () => {
    await pinnedNode('echo v18.1.0')
    const run = setup('try:run')
    expect(await run.ended()).toEqual([1, null])
    expect(run.stdout).toBe('')
    expect(run.stderr).toMatch(/\.bin\/node should be Node 24 or 26, but says v18\.1\.0\n$/)
  })
})

describe('the gavel command', () => {
  beforeEach(async () => {
    await cp(join(root, 'bin', 'gavel.mjs'), join(checkout, 'bin', 'gavel.mjs'))
    await mkdir(join(checkout, 'src'))
    await writeFile(join(checkout, 'src', 'main.ts'), `const typed: number = 1\n${program}`)
    await writeFile(join(checkout, 'package.json'), '{"type":"module"}')
    await mkdir(join(checkout, 'node_modules', '.bin'), { recursive: true })
  })

  test('runs the program in place when it is on the pinned Node already', async () => {
    await symlink(process.execPath, join(checkout, 'node_modules', '.bin', 'node'))
    const run = gavel('parse', '--platform', 'x')
    expect(await run.ended()).toEqual([3, null])
    expect(run.stdout).toBe('["parse","--platform","x"]\n')
  })

  test('starts the pinned Node from any other, passes signals on, and ends as the program does', async () => {
    const pinned = join(checkout, 'node_modules', '.bin', 'node')
    await writeFile(pinned, `#!/bin/sh\nexec ${JSON.stringify(process.execPath)} "$@"\n`)
    await chmod(pinned, 0o755)
    const run = gavel('parse', 'a b')
    expect(await run.ended()).toEqual([3, null])
    expect(run.stdout).toBe('["parse","a b"]\n')
    const told = gavel('wait')
    await vi.waitUntil(() => told.stdout !== '', { timeout: 20_000 })
    told.child.kill('SIGTERM')
    expect(await told.ended()).toEqual([7, null])
    const interrupted = gavel('wait')
    await vi.waitUntil(() => interrupted.stdout !== '', { timeout: 20_000 })
    interrupted.child.kill('SIGINT')
    expect(await interrupted.ended()).toEqual([null, 'SIGINT'])
  })

  test('without packages it says in one line what to do', async () => {
    const run = gavel('serve')
    expect(await run.ended()).toEqual([1, null])
    expect(run.stderr).toMatch(/^gavel: its packages are not installed: run `npm ci` in .*\n$/)
  })
})

/** A started program, with what it has printed so far. */
class Run {
  readonly child: ChildProcess
  stdout = ''
  stderr = ''

  constructor(command: string, args: string[]) {
    // As from a terminal: nothing of the npm that may have started these tests.
    const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^npm_|^INIT_CWD$/i.test(name)))
    this.child = spawn(command, args, { cwd: checkout, env, stdio: ['ignore', 'pipe', 'pipe'] })
    this.child.stdout?.on('data', (chunk: Buffer) => (this.stdout += chunk.toString()))
    this.child.stderr?.on('data', (chunk: Buffer) => (this.stderr += chunk.toString()))
    started.push(this)
  }

  /** Its exit code, or the signal that ended it. */
  async ended(): Promise<[number | null, string | null]> {
    if (this.child.exitCode === null && this.child.signalCode === null) await once(this.child, 'close')
    return [this.child.exitCode, this.child.signalCode]
  }
}

function npm(...args: string[]): Run {
  return new Run('npm', args)
}

function setup(...args: string[]): Run {
  return new Run(process.execPath, [join('scripts', 'setup.mjs'), ...args])
}

function gavel(...args: string[]): Run {
  return new Run(process.execPath, [join('bin', 'gavel.mjs'), ...args])
}

async function pinnedNode(command: string): Promise<void> {
  const folder = join(checkout, 'pinned-node')
  await mkdir(folder, { recursive: true })
  await writeFile(join(folder, 'package.json'), '{"name":"pinned-node","version":"24.0.0","bin":{"node":"node.sh"}}')
  await writeFile(join(folder, 'node.sh'), `#!/bin/sh\n${command}\n`)
  await chmod(join(folder, 'node.sh'), 0o755)
}
