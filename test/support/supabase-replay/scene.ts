/** A recording of several requests at once, or of another client: it is acted again and told in the same form. */
import type { Recording } from './recordings.ts'
import type { Stage } from './stage.ts'

export type Scene = (stage: Stage, recording: Recording) => Promise<unknown>

export const times = <T>(count: number, act: (index: number) => Promise<T>) =>
  Promise.all(Array.from({ length: count }, (_, index) => act(index)))
