export { decodeBlurhash } from './decode.ts'
export { encodeBlurhash } from './encode.ts'
export { isBlurhash } from './is-blurhash.ts'
