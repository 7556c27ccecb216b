export { decodeBlurhash, encodeBlurhash, isBlurhash } from './blurhash/index.ts'
export type { ImageDescription } from './describe/index.ts'
export {
  IMAGE_METADATA_NAMES,
  type ImageMetadata,
  imageMetadata,
  readImageMetadata,
} from './image-metadata.ts'
