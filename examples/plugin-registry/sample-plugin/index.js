export function onTranscript({ speaker, text }) {
  return `${speaker}: ${text}`
}
