import { keys } from 'stowage'

/** Where images are kept. Built and read here only: no other file knows how a key looks. */
export const IMAGE_KEYS = keys({
  thread: '{userId:uuid}/{threadId:uuid}/{kind:insert|gen|mask|expand}_{id:uuid}',
  temp: '{userId:uuid}/temp/{id:uuid}',
  feed: 'feed/{threadId:uuid}/{kind:insert|watermark}_{id:uuid}',
})

/** The id that is part of every key. */
export function imageIdOf({ key }) {
  return IMAGE_KEYS.parse(key)?.params.id ?? key
}
