/**
 * `npm run build:quick && npm ci --prefix bench && tsx bench/imgproxy/run.ts`: signed imgproxy URLs, ours against the
 * peers and against HMAC alone. Prints a table and writes bench/results/imgproxy.json; `--quick` writes nothing.
 */
import { mkdir, writeFile } from 'node:fs/promises'
import { cpus } from 'node:os'
import { type Spread, spread } from '../spread.ts'
import { takeTurns } from '../turns.ts'
import { BUILDERS } from './builders.ts'
import type { BuilderRequest, BuilderResult } from './worker.ts'

const quick = process.argv.includes('--quick')
const ROUNDS = quick ? 1 : 7
const REQUEST: BuilderRequest = { slices: quick ? 2 : 25 }

const worker = new URL('./worker.ts', import.meta.url)
const entrants = Object.keys(BUILDERS).map(name => ({ name, worker, args: [name] }))
const rounds = await takeTurns<BuilderResult>(entrants, REQUEST, ROUNDS)

const show = ({ median, low, high }: Spread, digits: number) =>
  `${median.toFixed(digits)} (${low.toFixed(digits)}–${high.toFixed(digits)})`
const thousands = (rates: readonly number[]) => spread(rates.map(rate => rate / 1000))

const results = [...rounds].map(([name, given]) => {
  if (!Array.isArray(given)) throw new Error(`${name} failed: ${given.failure}`)
  return {
    name,
    thousandsPerSecond: thousands(given.map(({ perSecond }) => perSecond)),
    hmacThousandsPerSecond: thousands(given.map(({ hmacPerSecond }) => hmacPerSecond)),
    ofHmac: spread(given.map(({ ofHmac }) => ofHmac)),
    url: given[0]!.url,
  }
})

if (quick) console.log('--quick: these numbers mean nothing; they only show that the bench runs.')
console.log('\nSigned imgproxy URLs, thousands in a second of CPU')
console.table(
  Object.fromEntries(
    results.map(({ name, thousandsPerSecond, hmacThousandsPerSecond, ofHmac }) => [
      name,
      {
        URLs: show(thousandsPerSecond, 0),
        'HMAC alone': show(hmacThousandsPerSecond, 0),
        'of HMAC alone': show(ofHmac, 2),
      },
    ]),
  ),
)

if (!quick) {
  const folder = new URL('../results/', import.meta.url)
  const machine = { node: process.version, cpu: cpus()[0]?.model, cores: cpus().length, rounds: ROUNDS }
  await mkdir(folder, { recursive: true })
  await writeFile(
    new URL('imgproxy.json', folder),
    `${JSON.stringify({ machine, builders: results }, null, 1)}\n`,
  )
  console.log('\nWritten: bench/results/imgproxy.json')
}
