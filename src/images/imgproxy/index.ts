export { imgproxyEnv, imgproxyFromEnv } from './from-env.ts'
export type {
  CallOptions,
  Color,
  Compass,
  ExtendGravity,
  FocusPoint,
  Format,
  Gravity,
  ImageOptions,
  Offset,
  SourceFormat,
} from './image-options.ts'
export { type Imgproxy, imgproxy } from './imgproxy.ts'
export { type ImgproxyAsync, imgproxyAsync } from './imgproxy-async.ts'
export type { HexValues } from './key-pairs.ts'
export type { ObjectGravity, ProOptions } from './pro-options.ts'
export type { Edition, Encryption, ImgproxyOptions, OptionsOf } from './settings.ts'
