/** What a server spares that redirects to the store, instead of passing the bytes on. */

import { fork } from 'node:child_process'
import { createHash, randomBytes, randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3'
import { RegistryClient } from '../../examples/plugin-registry/registry-client.js'
import type { RunningS3Server } from '../../test/support/s3-server.ts'
import { race, type Scale, type Section, timed } from '../section.ts'

const MODULE = new URL('./contenders/download.ts', import.meta.url)
const VERSIONS = Array.from({ length: 20 }, (_, index) => `1.${index}.0`)
const NEED = 1.4

export async function benchDownloads(
  server: RunningS3Server,
  folder: string,
  scale: Scale,
): Promise<Section[]> {
  const registry = await startRegistry(server, folder)
  try {
    const sections: Section[] = []
    for (const kib of [1024, 4096]) sections.push(await benchSize(registry.origin, kib, scale))
    return sections
  } finally {
    await registry.stop()
  }
}

async function benchSize(origin: string, kib: number, scale: Scale): Promise<Section> {
  const name = `plugin-${kib}`
  const client = new RegistryClient(origin, { token: 'any' })
  for (const version of VERSIONS) {
    const archive = randomBytes(kib * 1024)
    await client.publish({
      name,
      version,
      archive,
      sha256: createHash('sha256').update(archive).digest('hex'),
    })
  }
  const [redirected, proxied] = ['stowage, redirected to the store', 'the same server, passing the bytes on']
  const urls = (urlOf: (version: string) => string) => ({ urls: VERSIONS.map(urlOf) })
  const { rates, ratio } = await race(
    [
      timed(
        redirected,
        MODULE,
        urls(version => `${origin}/plugins/${name}/${version}/download`),
      ),
      timed(
        proxied,
        MODULE,
        urls(version => `${origin}/proxied/${name}/${version}`),
      ),
    ],
    scale,
  )
  return {
    title: `Downloads of plugins of ${kib} KiB`,
    how: 'examples/plugin-registry over MinIO and SQLite, 16 downloads at once by one client, which reads every byte.',
    rates,
    figures: ['rate'],
    bars: ratio(`plugins of ${kib} KiB, redirected ÷ proxied`, redirected, proxied, { atLeast: NEED }),
  }
}

async function startRegistry(server: RunningS3Server, folder: string) {
  const { endpoint, region, accessKeyId, secretAccessKey } = server
  const bucket = `plugins-${randomUUID()}`
  const client = new S3Client({
    endpoint,
    region,
    credentials: { accessKeyId, secretAccessKey },
    forcePathStyle: true,
  })
  await client.send(new CreateBucketCommand({ Bucket: bucket }))
  client.destroy()
  const child = fork(new URL('./serve.js', import.meta.url), [folder], {
    execArgv: [],
    env: {
      ...process.env,
      STOWAGE_URL: `s3://${bucket}?${new URLSearchParams({ endpoint, region })}`,
      MOVE_TO_URL: '',
      DATABASE_URL: '',
      AWS_ACCESS_KEY_ID: accessKeyId,
      AWS_SECRET_ACCESS_KEY: secretAccessKey,
    },
  })
  const ended = once(child, 'exit')
  const [{ origin }] = await once(child, 'message')
  return {
    origin: origin as string,
    async stop() {
      child.kill('SIGTERM')
      await ended
    },
  }
}
