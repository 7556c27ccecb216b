import type { World } from '../support/world.ts'

/** A browser uses the signed URL. */
export async function sendSigned(world: World, uploadId: string, body: string): Promise<void> {
  const [job] = await world.engine.query(['SELECT physical FROM t_default__journal WHERE id = ?', uploadId])
  await world.provider.upload(String(job!.physical), body, { contentType: 'text/plain' })
}
