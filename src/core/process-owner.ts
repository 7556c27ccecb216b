/** Names of processes that hold locks and temporary files, and whether such a process has ended. */
import { createHash, randomBytes } from 'node:crypto'
import { readFileSync, readlinkSync } from 'node:fs'
import { hostname } from 'node:os'

const hash = (text: string) => createHash('sha256').update(text).digest('hex').slice(0, 8)

function tryRead(read: () => string): string {
  try {
    return read()
  } catch {
    return ''
  }
}

/** Two containers may have one host name and share process ids: their namespace tells them apart. */
const HOST = hash(hostname() + tryRead(() => readlinkSync('/proc/self/ns/pid')))
/** Changes with every start of the machine, where the system says so. */
const BOOT = hash(tryRead(() => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8')))

/** When a process started, in the system's own unit; `0` where it can't be told. Ids of processes are used again. */
function startOf(pid: number): string {
  const stat = tryRead(() => readFileSync(`/proc/${pid}/stat`, 'latin1'))
  // Field 22 of proc(5); the second field may hold spaces and brackets.
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '0'
}

/** This process, as a part of file names: host, boot, process id, start, and a random part for each copy of the module. */
export const PROCESS_OWNER = [
  HOST,
  BOOT,
  process.pid,
  startOf(process.pid),
  randomBytes(4).toString('hex'),
].join('-')

const OWNER = /^([0-9a-f]{8})-([0-9a-f]{8})-(\d+)-(\d+)-[0-9a-f]{8}$/

/** `ended` and `running` are certain; a process of another machine, or a name that is none, is `unknown`. */
export function ownerState(owner: string): 'ended' | 'running' | 'unknown' {
  if (owner === PROCESS_OWNER) return 'running'
  const match = OWNER.exec(owner)
  if (match === null) return 'unknown'
  const [, host, boot, pid, start] = match
  if (host !== HOST) return 'unknown'
  if (boot !== BOOT) return 'ended'
  try {
    process.kill(Number(pid), 0)
  } catch (error) {
    // EPERM: it runs under another user.
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return 'ended'
  }
  return start !== '0' && startOf(Number(pid)) !== start ? 'ended' : 'running'
}
