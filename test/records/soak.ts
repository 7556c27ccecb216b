/**
 * Random histories for some minutes: `tsx test/records/soak.ts [minutes] [first number]`. Prints each that fails, shrunk,
 * and ends with exit code 1 where one did.
 */
import { historyOf } from './histories/history.ts'
import { HistoryTrial } from './histories/try-history.ts'

const minutes = Number(process.argv[2] ?? 10)
const first = Number(process.argv[3] ?? Date.now())

const trial = new HistoryTrial()
const began = performance.now()
const end = began + minutes * 60_000
let [count, failed] = [0, 0]
for (; performance.now() < end; count++) {
  const history = historyOf(`soak.${first + count}`)
  const { problems } = await trial.run(history)
  if (problems.length === 0) continue
  failed++
  console.log(`${await trial.report(history)}\n`)
}
await trial.close()
const rate = (count / ((performance.now() - began) / 1000)).toFixed(0)
console.log(`histories: ${count} from soak.${first} on, ${rate}/s, ${failed} failed`)
process.exitCode = failed > 0 ? 1 : 0
