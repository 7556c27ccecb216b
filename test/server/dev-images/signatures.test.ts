import { describe, expect, it } from 'vitest'
import { KEY, plainImage, reasonOf, SALT, servedImages, signed } from './signed-urls.ts'

const PATH = '/w:10/plain/local%3A%2F%2F%2Fa.jpg@png'
const IMAGES = { 'a.jpg': plainImage('red') }

describe('the signature of a URL for devImages', () => {
  it('is that of the path under any pair of keys, and of no pair that is mixed', async () => {
    const { ask } = await servedImages(IMAGES, { key: `${KEY},00ff`, salt: [SALT, 'ff00'] })
    const status = async (key: string, salt: string) => (await ask(signed(PATH, key, salt))).status
    expect(await status(KEY, SALT)).toBe(200)
    expect(await status('00FF', 'FF00')).toBe(200)
    expect(await status(KEY, 'ff00')).toBe(403)
    expect(await status('00ff', SALT)).toBe(403)
  })

  it.each([1, 3, 8, 31, 32])('has %i bytes where it is told so, and no more or less', async size => {
    const { ask } = await servedImages(IMAGES, { signatureSize: size })
    const [, right = ''] = signed(PATH, KEY, SALT, size).split('/')
    expect((await ask(`/${right}${PATH}`)).status).toBe(200)
    const [, whole = ''] = signed(PATH).split('/')
    const others = [`${right}A`, `${right}=`, `A${right}`, right.slice(0, -2), `${whole}AAAA`, 'unsafe', '-']
    for (const signature of others) {
      const answer = await ask(`/${signature || '_'}${PATH}`)
      expect([signature, answer.status, await answer.text()]).toEqual([signature, 403, 'Forbidden'])
      expect(reasonOf(answer)).toMatch(/sign/)
    }
  })

  it('is asked for before anything is done', async () => {
    let asked = 0
    const source = () => {
      asked++
      return undefined
    }
    const { ask } = await servedImages(IMAGES, { source })
    for (const path of [`/w:9${PATH}`, `/${'A'.repeat(43)}${PATH}`, `/${'A'.repeat(43)}/nonsense:1${PATH}`])
      expect((await ask(path)).status).toBe(403)
    expect(asked).toBe(0)
  })

  it('may be any word where nothing is signed, but must be there', async () => {
    const { ask } = await servedImages(IMAGES, { key: undefined, salt: undefined, unsigned: true })
    for (const word of ['unsafe', '_', 'whatever']) expect((await ask(`/${word}${PATH}`)).status).toBe(200)
    expect((await ask(PATH)).status).toBe(403)
  })
})
