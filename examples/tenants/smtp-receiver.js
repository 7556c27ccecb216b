import { createServer } from 'node:net'
import { LineReader } from './line-reader.js'

/** Most bytes of a command line, with the room that extensions ask for. */
const MOST_COMMAND = 2048
const MOST_RECIPIENTS = 100
const IDLE_MS = 5 * 60_000

/**
 * A receiver of mail for one's own machine: no login, no TLS, nothing is sent on. The message that `deliver` gets is
 * what was sent, byte for byte.
 *
 * @param {object} options
 * @param {number} options.maxBytes of one message
 * @param {(address: string) => unknown} options.mailboxOf undefined for a recipient that is refused
 * @param {(mail: { sender: string, recipients: string[], raw: Buffer }) => Promise<void>} options.deliver the message
 *   is accepted when it has resolved, and refused for now where it rejects: the sender keeps it then
 */
export function smtpReceiver(options) {
  return createServer(socket => {
    socket.setTimeout(IDLE_MS, () => socket.destroy())
    socket.on('error', () => {})
    converse(socket, options)
      .catch(error => options.onError?.(error))
      .finally(() => socket.end())
  })
}

async function converse(socket, { maxBytes, mailboxOf, deliver, onError }) {
  const reader = new LineReader(socket)
  const answer = line => socket.write(`${line}\r\n`)
  let mail
  answer('220 stowage mail catcher')
  for (;;) {
    const command = await reader.line(MOST_COMMAND)
    if (command === undefined) return
    const text = command.toString('utf8')
    const verb = /^[a-z]*/i.exec(text)[0].toUpperCase()
    if (command.length === MOST_COMMAND) answer('500 the line is too long')
    else if (verb === 'EHLO') {
      mail = undefined
      for (const offer of ['stowage', '8BITMIME', 'SMTPUTF8', 'PIPELINING']) answer(`250-${offer}`)
      answer(`250 SIZE ${maxBytes}`)
    } else if (verb === 'HELO') {
      mail = undefined
      answer('250 stowage')
    } else if (verb === 'MAIL') {
      const [, sender, parameters] = /^MAIL FROM: ?<([^<>\x00-\x1f]*)>(.*)$/is.exec(text) ?? []
      const size = Number(/\bSIZE=(\d+)/i.exec(parameters ?? '')?.[1] ?? 0)
      if (sender === undefined) answer('501 write MAIL FROM:<address>')
      else if (mail !== undefined) answer('503 a mail has been begun already')
      else if (size > maxBytes) answer(`552 messages may have ${maxBytes} bytes at most`)
      else {
        mail = { sender, recipients: [] }
        answer('250 ok')
      }
    } else if (verb === 'RCPT') {
      const [, recipient] = /^RCPT TO: ?<([^<>\x00-\x1f]+)>/i.exec(text) ?? []
      if (recipient === undefined) answer('501 write RCPT TO:<address>')
      else if (mail === undefined) answer('503 MAIL comes first')
      else if (mail.recipients.length >= MOST_RECIPIENTS) answer('452 too many recipients')
      else if (mailboxOf(recipient) === undefined) answer('550 there is no such mailbox here')
      else {
        mail.recipients.push(recipient)
        answer('250 ok')
      }
    } else if (verb === 'DATA') {
      if (mail === undefined || mail.recipients.length === 0) {
        answer('503 RCPT comes first')
        continue
      }
      answer('354 end with a line that has a single dot')
      const raw = await reader.message(maxBytes)
      if (raw === undefined) return
      if (raw === 'too-large') answer(`552 messages may have ${maxBytes} bytes at most`)
      else answer(await delivered({ ...mail, raw }))
      mail = undefined
    } else if (verb === 'RSET') {
      mail = undefined
      answer('250 ok')
    } else if (verb === 'NOOP') answer('250 ok')
    else if (verb === 'QUIT') {
      answer('221 bye')
      return
    } else answer('502 not known here')
  }

  async function delivered(complete) {
    try {
      await deliver(complete)
      return '250 stored'
    } catch (error) {
      onError?.(error)
      return '451 not stored; send it again later'
    }
  }
}
