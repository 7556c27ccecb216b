/** Runs the parts of a bench one after the other, prints what they found and writes bench/results/<name>.json and .svg. */
import { mkdir, writeFile } from 'node:fs/promises'
import { cpus } from 'node:os'
import { chart } from './chart.ts'
import { barGroups, print, printBars, type Scale, type Section } from './section.ts'

/** `missing` is a sentence, where what the part needs is not here. */
export type Part = () => Promise<Section[] | { missing: string }>

export interface Run {
  /** Of the files that are written. */
  name: string
  parts: Record<string, Part>
  scale: Scale
  /** Pixels for names in the chart. Default: 250. */
  labelWidth?: number
  /** What else is told of the machine, in the file and in words. */
  machine?: object
  about?: string
  /** Sentences about what is not measured. */
  missing?: readonly string[]
}

const NO_MEANING = '--quick: these numbers mean nothing; they only show that the bench runs.'

export const isQuick = process.argv.includes('--quick')

/** `--quick` and `--only=one,another` write nothing. */
export async function runParts({
  name,
  parts,
  scale,
  labelWidth = 250,
  missing = [],
  ...more
}: Run): Promise<void> {
  // On Node 20 the SDK warns in every process that it will leave it.
  process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= 'true'
  const only = process.argv.find(argument => argument.startsWith('--only='))?.slice('--only='.length)
  const unknown = only?.split(',').filter(part => parts[part] === undefined)
  if (unknown?.length) throw new Error(`--only knows ${Object.keys(parts).join(', ')}, not ${unknown}`)
  if (scale.quick) console.log(NO_MEANING)
  const { rounds, seconds } = scale
  const machine = {
    node: process.version,
    cpu: cpus()[0]?.model,
    cores: cpus().length,
    ...more.machine,
    rounds,
    secondsEach: seconds,
  }
  const each = seconds > 0 ? ` of ${seconds} s after 2 to warm up` : ''
  console.log(
    `Node ${machine.node}, ${machine.cores} cores${more.about ?? ''}. ` +
      `${rounds} rounds${each}: medians, lowest and highest in brackets; ratios round by round.`,
  )
  const sections: Section[] = []
  const absent = [...missing]
  for (const [part, run] of Object.entries(parts)) {
    if (only !== undefined && !only.split(',').includes(part)) continue
    const result = await run()
    if ('missing' in result) absent.push(`${part}: ${result.missing}`)
    else {
      sections.push(...result)
      for (const section of result) print(section)
      assertOurs(result)
    }
  }
  console.log('\nWhat it must reach')
  printBars(sections.flatMap(({ bars }) => bars.filter(({ need }) => need !== undefined)))
  for (const sentence of absent) console.log(`Not measured: ${sentence}`)
  if (scale.quick) console.log(NO_MEANING)
  else if (only === undefined) await write(name, { machine, absent, sections }, labelWidth)
}

/** A bar whose contender has failed would just be missing. */
function assertOurs(sections: readonly Section[]): void {
  for (const { title, rates = [] } of sections)
    for (const { contender, failure } of rates)
      if (contender.startsWith('stowage') && failure !== undefined)
        throw new Error(`${title}: ${contender} failed: ${failure}`)
}

async function write(
  name: string,
  results: {
    machine: { node: string; cores: number; rounds: number }
    absent: string[]
    sections: Section[]
  },
  labelWidth: number,
): Promise<void> {
  const folder = new URL('./results/', import.meta.url)
  await mkdir(folder, { recursive: true })
  await writeFile(new URL(`${name}.json`, folder), `${JSON.stringify(results, null, 1)}\n`)
  const { node, cores, rounds } = results.machine
  const caption = `Medians of ${rounds} rounds, lowest and highest in brackets; Node ${node}, ${cores} cores.`
  const drawn = chart(barGroups(results.sections), caption, { labelWidth })
  await writeFile(new URL(`${name}.svg`, folder), drawn)
  console.log(`\nWritten: bench/results/${name}.json and ${name}.svg`)
}
