export type { ImageDescription } from '../image-description.ts'
