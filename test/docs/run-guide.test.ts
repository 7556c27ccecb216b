/** What follows the guides is held to itself: a guide that is wrong fails, at the line that is wrong. */
import { existsSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { readGuide } from './guide.ts'
import { notPrinted } from './printed.ts'
import { runGuide } from './run-guide.ts'

const FENCE = '```'

/** Blocks by their info strings and texts. */
function guide(...blocks: [info: string, text: string][]) {
  const page = blocks.map(([info, text]) => `\n${FENCE}${info}\n${text}\n${FENCE}\n`).join('')
  return readGuide('wrong.md', `# A guide\n${page}`)
}

describe('a guide', () => {
  test('runs its commands in order, in one folder, with the variables, functions and folder of those before', async () => {
    await runGuide(
      guide(
        ['sh', 'export NAME=ana; mkdir a; cd a; back() { cd ..; }'],
        ['js', '// hello.mjs\nconsole.log(process.env.NAME)'],
        ['sh', 'back; node a/hello.mjs; ls'],
        ['text', 'ana\na'],
      ),
    )
  })

  test('fails where a command ends with another status', async () => {
    await expect(runGuide(guide(['sh', 'echo so; false; echo on']))).rejects.toThrow(
      /^wrong\.md:3: it ended with 1\n\nso\n$/,
    )
    await expect(runGuide(guide(['sh exits=6', 'true']))).rejects.toThrow('wrong.md:3: it ended with 0')
    await runGuide(guide(['sh exits=6', 'exit 6'], ['sh', 'true']))
  })

  test('fails where a command prints something else', async () => {
    await expect(runGuide(guide(['sh', 'echo one'], ['text', 'two']))).rejects.toThrow(
      'wrong.md:7: there is no “two” in its place in\n\none',
    )
  })

  test('sees what is printed on the error output', async () => {
    await runGuide(guide(['sh', 'echo out; echo err >&2'], ['text', 'out\nerr']))
  })

  test('fails where a program does not exist, is not installed, or is of no package', async () => {
    await expect(runGuide(guide(['sh', 'stowage ls file:.']))).rejects.toThrow('it ended with 127')
    await expect(runGuide(guide(['sh', 'npx cowsay']))).rejects.toThrow('cowsay is not installed')
    await expect(runGuide(guide(['sh', 'npm install no-such-package']))).rejects.toThrow('no package')
  })

  test('finds the packages that it installs, and no others', async () => {
    const load = (name: string) => `node --input-type=module -e "await import('${name}')"`
    await runGuide(guide(['sh', 'npm install ulid'], ['sh', load('ulid')]))
    await expect(runGuide(guide(['sh', 'npm install ulid'], ['sh', load('pg')]))).rejects.toThrow('pg')
  })

  test('goes on beside a program that has said that it is ready, and ends it', async () => {
    const server = `// server.mjs
import { createServer } from 'node:http'
import { writeFileSync } from 'node:fs'
const server = createServer((_, response) => response.end('here'))
server.listen(0, '127.0.0.1', () => {
  writeFileSync('port', String(server.address().port))
  console.log('ready')
})`
    const ask = `fetch('http://127.0.0.1:' + fs.readFileSync('port')).then(a => a.text()).then(console.log)`
    await runGuide(
      guide(
        ['js', server],
        ['sh until=ready', 'node server.mjs'],
        ['sh', `node -e "${ask}"`],
        ['text', 'here'],
      ),
    )
    await expect(runGuide(guide(['sh until=ready', 'echo no']))).rejects.toThrow('it ended without “ready”')
  })

  test('fails where a command takes too long', async () => {
    const slow = guide(['sh', 'node -e "setInterval(() => {}, 1000)"'])
    await expect(runGuide(slow, { limitMs: 500 })).rejects.toThrow('it takes too long')
  })

  test('has the values of variables that its reader has', async () => {
    const asks = guide(['sh given', 'export NAME=…'], ['sh', 'echo "$NAME"'], ['text', "it's"])
    await runGuide(asks, { valueGiven: async () => "it's" })
    await expect(runGuide(asks)).rejects.toThrow('nothing is known to give NAME')
  })

  test('leaves no folder behind', async () => {
    let folder = ''
    const asks = guide(['sh', 'pwd'], ['text', 'x'])
    await runGuide(asks).catch((error: Error) => {
      folder = error.message.split('\n').at(-2)!
    })
    expect(folder).toContain('stowage-guide-')
    expect(existsSync(folder)).toBe(false)
  })
})

describe('a block', () => {
  test.each([
    ['that is not understood', ['sh runs=never', 'true'], 'not known'],
    ['that is a file without a name', ['ts', 'const a = 1'], 'not-run='],
    ['of a language without a name', ['', 'a'], 'not-run='],
    ['that is an output of nothing', ['text', 'a'], 'has none before it'],
    ['that gives no variable', ['sh given', 'echo no'], 'gives no variable'],
  ] as const)('%s is refused', (_, [info, text], message) => {
    expect(() => guide([info, text])).toThrow(message)
  })

  test('that is not done says why', () => {
    expect(guide(['sh not-run=needs a domain', 'x']).steps).toEqual([
      { kind: 'not-run', line: 3, language: 'sh', reason: 'needs a domain' },
    ])
    expect(() => guide(['sh not-run', 'x'])).toThrow('not known')
  })

  test('in a list, or without an end, is refused', () => {
    expect(() => readGuide('a.md', `# A\n  ${FENCE}sh\n  true\n  ${FENCE}\n`)).toThrow(
      'a.md:2: a block begins',
    )
    expect(() => readGuide('a.md', `# A\n${FENCE}sh\ntrue\n`)).toThrow('a.md:2: the block has no end')
  })
})

test('… stands for anything in a line, and alone for any lines', () => {
  expect(notPrinted('a … c\n…\nz', 'a b c\n1\n2\nz\n')).toBeUndefined()
  expect(notPrinted('{\n  …\n}', '{\n  a\n  b\n}')).toBeUndefined()
  expect(notPrinted('a\n…\nz', 'a\nz')).toBeUndefined()
  expect(notPrinted('a … c\nd', 'a b\nc')).toBe('a … c')
  expect(notPrinted('a\nb\nc', 'a\nb\nd')).toBe('c')
  expect(notPrinted('1.0', '110')).toBe('1.0')
  expect(notPrinted('a', 'a\nb')).toBe('nothing more')
})
