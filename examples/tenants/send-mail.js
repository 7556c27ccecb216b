import { once } from 'node:events'
import { connect } from 'node:net'
import { LineReader } from './line-reader.js'

/** Sends a message as it is. It must end in CRLF: mail knows no other end. @throws what the receiver answers */
export async function sendMail(port, { sender, recipients, raw }) {
  const socket = connect(port, '127.0.0.1')
  await once(socket, 'connect')
  try {
    const reader = new LineReader(socket)
    const say = async (line, expected) => {
      if (line !== undefined) socket.write(line)
      const answer = await lastLine(reader)
      if (!answer.startsWith(expected)) throw new Error(answer)
    }
    await say(undefined, '220')
    await say('EHLO demo\r\n', '250')
    await say(`MAIL FROM:<${sender}> BODY=8BITMIME SIZE=${raw.length}\r\n`, '250')
    for (const recipient of recipients) await say(`RCPT TO:<${recipient}>\r\n`, '250')
    await say('DATA\r\n', '354')
    await say(Buffer.concat([withDots(raw), Buffer.from('.\r\n')]), '250')
    await say('QUIT\r\n', '221')
  } finally {
    socket.destroy()
  }
}

/** An answer may have several lines; the last has no dash behind its number. */
async function lastLine(reader) {
  for (;;) {
    const line = await reader.line(1000)
    if (line === undefined) throw new Error('the receiver has closed the connection')
    const text = line.toString('utf8')
    if (text[3] !== '-') return text
  }
}

/** A dot before each line that begins with one. By latin1, in which every byte is one character. */
function withDots(raw) {
  return Buffer.from(raw.toString('latin1').replace(/(^|\r\n)\./g, '$1..'), 'latin1')
}
