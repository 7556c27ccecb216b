export { type ErrorCode, isStorageError, PlainError as StorageError } from '../core/plain-error.ts'
export { decodeBlurhash } from '../images/blurhash/decode.ts'
export { isBlurhash } from '../images/blurhash/is-blurhash.ts'
export { blurhashToDataURL } from './blurhash-to-data-url.ts'
export { drawBlurhash } from './draw-blurhash.ts'
export type { ProcessedImage, ProcessImageOptions } from './image-options.ts'
export { type ImageProcessor, type ImageProcessorOptions, imageProcessor } from './image-processor.ts'
export type { PlaceholderOptions } from './placeholder.ts'
export { closeImages, processImage } from './process-image.ts'
export { serveImages, type WorkerScope } from './serve-images.ts'
export {
  type DirectUpload,
  type SentSignedUpload,
  type UploadDirectOptions,
  uploadDirect,
} from './upload-direct.ts'
