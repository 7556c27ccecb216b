export * from '../core/human-format.ts'
