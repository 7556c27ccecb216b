const CRLF = '\r\n'

const message = (subject, ...lines) =>
  Buffer.concat(
    [`From: a@example.org`, `Subject: ${subject}`, '', ...lines].flatMap(line => [
      Buffer.from(line),
      Buffer.from(CRLF),
    ]),
  )

/** Messages that a database or a file system may change on its way, by what is odd about them. */
export const ODD_MESSAGES = [
  ['plain', message('Hello', 'Hello, world.')],
  ['every byte but CR and LF', message('bytes', everyByte())],
  ['bytes that are no UTF-8', message('latin1', Buffer.from('Gr\xfc\xdfe', 'latin1'))],
  ['NUL bytes', message('nul', Buffer.from([0x61, 0, 0, 0x62]))],
  ['bare LF and bare CR', message('ends', 'one\ntwo\rthree\n\nfour')],
  ['lines that begin with dots', message('dots', '.', '..', '.hidden', '', '...')],
  ['a bare LF before a dot, which ends nothing', message('smuggled', 'one\n.\nMAIL FROM:<x@example.org>')],
  ['emoji in the subject', message('🎉 Grüße, 世界 👩‍👩‍👧', '💌')],
  ['a subject that looks like a BLOB', message("x'41'", "x'41'")],
  ['a subject that looks like SQL', message("'); DROP TABLE mails; --", 'Bobby')],
  ['no header and no text', Buffer.from(CRLF)],
  ['a line of 200 kB', message('long', 'x'.repeat(200_000))],
]

function everyByte() {
  return Buffer.from(
    Array.from({ length: 256 }, (_, byte) => byte).filter(byte => byte !== 10 && byte !== 13),
  )
}
