import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { type ImageOptions, imgproxy, type OptionsOf } from '../../../src/images/imgproxy/index.ts'
import { ENDPOINT } from '../../support/imgproxy/vectors.ts'
import { refused } from '../../support/refused.ts'

/** What a real open-source imgproxy 4 said to each segment. */
const { rows } = JSON.parse(
  readFileSync(new URL('../../fixtures/imgproxy/options.json', import.meta.url), 'utf8'),
) as { rows: { segment: string; status: number; contentType: string }[] }

const builder = {
  url: ENDPOINT,
  key: '736563726574',
  salt: '68656c6c6f',
  format: 'source',
  now: () => 1_800_000_000_000,
} as const
const images = imgproxy(builder)
const pro = imgproxy({ ...builder, edition: 'pro' })
const SOURCE = 'http://127.0.0.1/photo.jpg'

/** The segments of a URL, without its source. */
function segments(url: string): string {
  return /^https:\/\/[^/]+\/[\w-]+(.*)\/plain\/[^/]*$/.exec(url)![1]!.slice(1)
}

const FUTURE = 1_900_000_000
const face = { objects: ['face'] }

/** A wish for each segment that the server answers with an image, and how it is written where that is another way. */
const PRODUCED: Readonly<Record<string, [wish: ImageOptions, written?: string]>> = {
  'rs:fit:400:0': [{ resize: 'fit', width: 400 }],
  'rs:fill:300:300': [{ resize: 'fill', width: 300, height: 300 }],
  'rs:fill-down:300:300': [{ resize: 'fill-down', width: 300, height: 300 }],
  'rs:force:300:300': [{ resize: 'force', width: 300, height: 300 }],
  'rs:auto:300:300': [{ resize: 'auto', width: 300, height: 300 }],
  'rs:fit:300': [{ resize: 'fit', width: 300 }, 'rs:fit:300:0'],
  'rs:::': [{ resize: 'fit' }, ''],
  'rs:fit:400:0:1:1': [{ width: 400, enlarge: true, extend: true }, 'rs:fit:400:0/el:1/ex:1'],
  's:300:200': [{ width: 300, height: 200 }, 'rs:fit:300:200'],
  'rt:fill/w:200/h:100': [{ resize: 'fill', width: 200, height: 100 }, 'rs:fill:200:100'],
  'w:300': [{ width: 300 }, 'rs:fit:300:0'],
  'h:300': [{ height: 300 }, 'rs:fit:0:300'],
  'mw:300': [{ minWidth: 300 }],
  'mh:300': [{ minHeight: 300 }],
  'z:0.5': [{ zoom: 0.5 }],
  'z:0.5:0.2': [{ zoom: { width: 0.5, height: 0.2 } }],
  'dpr:2/w:100': [{ dpr: 2, width: 100 }, 'rs:fit:100:0/dpr:2'],
  'el:1/w:2000': [{ enlarge: true, width: 2000 }, 'rs:fit:2000:0/el:1'],
  'el:t/w:2000': [{ enlarge: true, width: 2000 }, 'rs:fit:2000:0/el:1'],
  'el:true/w:2000': [{ enlarge: true, width: 2000 }, 'rs:fit:2000:0/el:1'],
  'el:yes/w:2000': [{ enlarge: false, width: 2000 }, 'rs:fit:2000:0'],
  'ex:1:ce/rs:fit:300:300': [{ extend: 'center', width: 300, height: 300 }, 'rs:fit:300:300/ex:1'],
  'exar:1/rs:fit:300:300': [{ extendAspectRatio: true, width: 300, height: 300 }, 'rs:fit:300:300/exar:1'],
  'extend_ar:1': [{ extendAspectRatio: true }, 'exar:1'],
  'g:sm/rs:fill:200:200': [
    { resize: 'fill', width: 200, height: 200, gravity: 'smart' },
    'rs:fill:200:200/g:sm',
  ],
  'g:fp:0.5:0.5/rs:fill:200:200': [
    { resize: 'fill', width: 200, height: 200, gravity: { focusX: 0.5, focusY: 0.5 } },
    'rs:fill:200:200/g:fp:0.5:0.5',
  ],
  'g:no/rs:fill:200:200': [
    { resize: 'fill', width: 200, height: 200, gravity: 'north' },
    'rs:fill:200:200/g:no',
  ],
  'g:soea/rs:fill:200:200': [
    { resize: 'fill', width: 200, height: 200, gravity: 'south-east' },
    'rs:fill:200:200/g:soea',
  ],
  'c:200:200': [{ crop: { width: 200, height: 200 } }],
  'c:0.5:0.5': [{ crop: { width: 0.5, height: 0.5 } }],
  'c:200:200:nowe:10:10': [
    { crop: { width: 200, height: 200, gravity: { at: 'north-west', x: 10, y: 10 } } },
  ],
  'ar:0': [{ autoRotate: false }],
  'ar:1': [{ autoRotate: true }],
  't:10': [{ trim: 10 }],
  'trim:10:ff0000:1:1': [
    { trim: { threshold: 10, color: '#f00', equalHorizontal: true, equalVertical: true } },
    't:10:ff0000:1:1',
  ],
  'pd:10': [{ padding: 10 }],
  'pd:10:20:30:40': [{ padding: { top: 10, right: 20, bottom: 30, left: 40 } }],
  'rot:90': [{ rotate: 90 }],
  'fl:1:1': [{ flip: 'both' }],
  'flip:1:0': [{ flip: 'horizontal' }, 'fl:1:0'],
  'bg:ff0000': [{ background: '#FF0000' }],
  'bg:255:0:0': [{ background: 'f00' }, 'bg:ff0000'],
  'bl:5': [{ blur: 5 }],
  'bl:0.5': [{ blur: 0.5 }],
  'sh:0.5': [{ sharpen: 0.5 }],
  'pix:10': [{ pixelate: 10 }],
  'wm:0.5:soea:10:10:0.2': [
    { watermark: { opacity: 0.5, position: 'south-east', x: 10, y: 10, scale: 0.2 } },
  ],
  'wm:0.5': [{ watermark: 0.5 }],
  'sm:1': [{ stripMetadata: true }],
  'sm:0': [{ stripMetadata: false }],
  'kcr:1': [{ keepCopyright: true }],
  'scp:1': [{ stripColorProfile: true }],
  'ph:1': [{ preserveHdr: true }],
  'eth:1': [{ enforceThumbnail: true }],
  'q:80': [{ quality: 80 }],
  'q:0': [{ quality: 0 }, ''],
  'fq:webp:60:avif:50/f:webp': [
    { formatQuality: { webp: 60, avif: 50 }, formatOption: 'webp' },
    'fq:avif:50:webp:60/f:webp',
  ],
  'mb:10000/f:jpg': [{ maxBytes: 10_000, formatOption: 'jpg' }],
  'f:webp': [{ formatOption: 'webp' }],
  'f:avif': [{ formatOption: 'avif' }],
  'f:png': [{ formatOption: 'png' }],
  'f:jxl': [{ formatOption: 'jxl' }],
  'f:gif': [{ formatOption: 'gif' }],
  'f:tiff': [{ formatOption: 'tiff' }],
  'f:bmp': [{ formatOption: 'bmp' }],
  'f:heic': [{ formatOption: 'heic' }],
  'ext:webp': [{ formatOption: 'webp' }, 'f:webp'],
  'format:webp': [{ formatOption: 'webp' }, 'f:webp'],
  'skp:jpg': [{ skipProcessing: ['jpg'] }],
  'skp:jpg:png': [{ skipProcessing: ['png', 'jpg'] }],
  'raw:1': [{ raw: true }],
  'cb:v1': [{ cacheBuster: 'v1' }],
  'cb:': [{ cacheBuster: '' }, ''],
  'exp:<unix>': [{ expires: FUTURE }, `exp:${FUTURE}`],
  'exp:0': [{ expires: 0 }, ''],
  'fn:cat': [{ filename: 'cat' }],
  'fn:cat.jpg': [{ filename: 'cat.jpg' }],
  'fn:54yrICYgInEiLng:1': [{ filename: '猫 & "q".x' }],
  'fn:my%20cat': [{ filename: 'my%20cat' }, 'fn:bXklMjBjYXQ:1'],
  'att:1': [{ attachment: true }],
  'att:1/fn:cat': [{ attachment: true, filename: 'cat' }, 'fn:cat/att:1'],
  'pr:thumb': [{ preset: 'thumb' }],
  'pr:thumb:placeholder': [{ preset: ['thumb', 'placeholder'] }],
  'preset:thumb': [{ preset: 'thumb' }, 'pr:thumb'],
  // Of two the later wins: one property cannot hold two wishes.
  'rs:fit:400:0/rs:fill:50:50': [{ resize: 'fill', width: 50, height: 50 }, 'rs:fill:50:50'],
  'resize:fit:400:0': [{ width: 400 }, 'rs:fit:400:0'],
  'width:100': [{ width: 100 }, 'rs:fit:100:0'],
  'quality:50': [{ quality: 50 }, 'q:50'],
  'strip_metadata:1': [{ stripMetadata: true }, 'sm:1'],
  'return_attachment:1': [{ attachment: true }, 'att:1'],
  'cachebuster:x': [{ cacheBuster: 'x' }, 'cb:x'],
  'expires:<unix>': [{ expires: new Date(FUTURE * 1000 + 900) }, `exp:${FUTURE}`],
  'filename:x': [{ filename: 'x' }, 'fn:x'],
  'auto_rotate:0': [{ autoRotate: false }, 'ar:0'],
  'min-width:300': [{ minWidth: 300 }, 'mw:300'],
}

/** Segments that the server refuses in itself: nothing we take gives them. */
const REFUSED: Readonly<Record<string, [wish: object, reason: RegExp]>> = {
  'rs:fit:-1:0': [{ width: -1 }, /width must be a whole number of 0 or more/],
  'rs:bogus:1:1': [{ resize: 'bogus' }, /resize must be one of fit, fill/],
  'rs:fit:1.5:0': [{ width: 1.5 }, /width must be a whole number/],
  'dpr:0': [{ dpr: 0 }, /dpr must be a number above 0/],
  'rot:45': [{ rotate: 45 }, /rotate must be 0, 90, 180 or 270/],
  'bg:zzz': [{ background: 'zzz' }, /background must be a color/],
  'bl:-1': [{ blur: -1 }, /blur must be a number of 0 or more/],
  'wm:2': [{ watermark: 2 }, /watermark must be a number from 0 to 1/],
  'q:101': [{ quality: 101 }, /quality must be a whole number from 1 to 100/],
  'fq:webp': [{ formatQuality: { webp: '' } }, /formatQuality.webp must be a whole number/],
  'f:svg': [{ formatOption: 'svg' }, /formatOption cannot be svg/],
  'f:pdf': [{ formatOption: 'pdf' }, /formatOption must be one of/],
  'f:mp4': [{ formatOption: 'mp4' }, /formatOption must be one of/],
  'f:bogus': [{ formatOption: 'bogus' }, /formatOption must be one of/],
  'skp:bogus': [{ skipProcessing: ['bogus'] }, /skipProcessing must be one of/],
  'exp:<unix>': [{ expires: 1_700_000_000 }, /expires is in the past/],
  'exp:abc': [{ expires: 'abc' }, /expires must be a valid Date or whole seconds/],
  'fn:a%3Ab': [{ cacheBuster: 'a:b' }, /cacheBuster cannot hold ':'/],
  'unknown:1': [{ unknown: 1 }, /there is no option 'unknown'/],
  'min_width:300': [{ min_width: 300 }, /there is no option 'min_width'/],
  // Recorded under these names; the documents of Pro have none of them.
  'usm:1:1:1': [{ usm: 1 }, /there is no option 'usm'/],
  'gifo:1': [{ gifOptions: {} }, /there is no option 'gifOptions'/],
  'mt:1': [{ mt: 1 }, /there is no option 'mt'/],
  'msr:10': [{ maxSourceMegapixels: 10 }, /IMGPROXY_ALLOW_SECURITY_OPTIONS/],
  'msfs:100': [{ maxSourceBytes: 100 }, /IMGPROXY_ALLOW_SECURITY_OPTIONS/],
  'maf:1': [{ maxAnimationFrames: 1 }, /IMGPROXY_ALLOW_SECURITY_OPTIONS/],
  'mafr:1': [{ maxAnimationFrameMegapixels: 1 }, /IMGPROXY_ALLOW_SECURITY_OPTIONS/],
  'mrd:100': [{ maxResultDimension: 100 }, /IMGPROXY_ALLOW_SECURITY_OPTIONS/],
  // A name that no preset has can only be told where the names are known.
  'pr:nope': [{ preset: 'no/pe' }, /preset must be of letters/],
}

/** Segments of Pro: refused by an open-source builder, written by one for Pro. */
const PRO: Readonly<Record<string, [wish: OptionsOf<'pro'>, written?: string]>> = {
  'g:obj:face': [{ gravity: face }],
  'g:objw:face:2': [{ gravity: { objectWeights: { face: 2 } } }],
  'car:1.5': [{ cropAspectRatio: 1.5 }],
  'crop_aspect_ratio:1.5': [{ cropAspectRatio: { ratio: 1.5 } }, 'car:1.5'],
  'bga:0.5': [{ backgroundAlpha: 0.5 }],
  'pbl:3': [{ progressiveBlur: 3 }],
  'wmu:aHR0cDovLzEyNy4wLjAuMTo5OTIyL3Bob3RvLmpwZw': [{ watermarkUrl: 'http://127.0.0.1:9922/photo.jpg' }],
  'wmt:aGVsbG8': [{ watermarkText: 'hello' }],
  'wms:10:10': [{ watermarkSize: { width: 10, height: 10 } }],
  'aq:size': [{ autoQuality: { method: 'size' } }],
  'jpgo:1': [{ jpegOptions: { progressive: true } }],
  'pngo:1': [{ pngOptions: { interlaced: true } }],
  'webpo:1': [{ webpOptions: { compression: 'lossless' } }, 'webpo:lossless'],
  'avifo:1': [{ avifOptions: { subsample: 'on' } }, 'avifo:on'],
  'a:10:1:1': [{ adjust: { brightness: 10, contrast: 1, saturation: 1 } }],
  'br:10': [{ brightness: 10 }],
  'co:1': [{ contrast: 1 }],
  'sa:1': [{ saturation: 1 }],
  'mc:1': [{ monochrome: 1 }],
  'dt:1': [{ duotone: 1 }],
  'gr:0.5': [{ gradient: { opacity: 0.5 } }],
  'col:0.5': [{ colorize: { opacity: 0.5 } }],
  'st:cmVjdHt9': [{ style: 'rect{}' }],
  'dpi:72': [{ dpi: 72 }],
  'page:1': [{ page: 1 }, 'pg:1'],
  'pg:1': [{ page: 1 }],
  'pgs:2': [{ pages: 2 }],
  'da:1': [{ disableAnimation: true }],
  'vts:1': [{ videoThumbnailSecond: 1 }],
  'fiu:aHR0cDovLzEyNy4wLjAuMTo5OTIyL3Bob3RvLmpwZw': [{ fallbackImageUrl: 'http://127.0.0.1:9922/photo.jpg' }],
  'hs:md5:abc': [{ hashsum: { type: 'md5', sum: 'abc' } }],
  'ra:lanczos3': [{ resizingAlgorithm: 'lanczos3' }],
  'bd:1:face': [{ blurDetections: { sigma: 1, classes: ['face'] } }],
  'dd:1': [{ drawDetections: true }],
  'ba:5:0:0:1:1': [{ blurAreas: { sigma: 5, areas: [{ left: 0, top: 0, width: 1, height: 1 }] } }],
  'cp:rgb': [{ colorProfile: 'rgb' }],
  'icc:srgb': [{ colorProfile: 'srgb' }, 'cp:srgb'],
  'bc:1': [{ bypassCache: true }],
  'ct:tag': [{ cacheTags: ['tag'] }],
}

const accepted = rows.filter(row => row.status === 200).map(row => row.segment)
const answeredNo = rows.filter(row => row.status !== 200).map(row => row.segment)

test('every recorded segment is produced, or refused with a reason, or one of Pro', () => {
  expect(new Set(accepted)).toEqual(new Set(Object.keys(PRODUCED)))
  expect(new Set(answeredNo)).toEqual(new Set([...Object.keys(REFUSED), ...Object.keys(PRO)]))
  expect(rows).toHaveLength(accepted.length + answeredNo.length)
})

describe('writes what the server takes', () => {
  test.each(Object.entries(PRODUCED))('%s', (segment, [wish, written = segment]) => {
    expect(segments(images.url(SOURCE, wish))).toBe(written)
  })
})

describe('refuses what the server refuses', () => {
  test.each(Object.entries(REFUSED))('%s', (_, [wish, reason]) => {
    expect(() => images.url(SOURCE, wish as ImageOptions)).toThrow(refused(reason))
  })

  test("svg is passed through by leaving the ending away: format: 'source'", () => {
    expect(images.url('http://127.0.0.1/logo.svg', { format: 'source' })).toMatch(/logo\.svg$/)
  })
})

describe('an option of Pro', () => {
  test.each(Object.entries(PRO))(
    '%s is refused without edition: pro, and written with it',
    (segment, [wish, written = segment]) => {
      expect(() => images.url(SOURCE, wish as ImageOptions)).toThrow(refused(/option of imgproxy Pro/))
      expect(segments(pro.url(SOURCE, wish))).toBe(written)
    },
  )

  test('is a type error without edition: pro', () => {
    // @ts-expect-error an option of Pro
    expect(() => images.url(SOURCE, { dpi: 72 })).toThrow(refused(/dpi is an option of imgproxy Pro/))
    // @ts-expect-error an option of Pro
    expect(() => images.url(SOURCE, { gravity: { objects: ['face'] } })).toThrow(refused(/imgproxy Pro/))
    // @ts-expect-error sources are encrypted for Pro only
    expect(() => imgproxy({ ...builder, sourceEncoding: 'encrypted' })).toThrow(refused(/imgproxy Pro/))
  })

  test('takes the options of the open-source server, too', () => {
    expect(segments(pro.url(SOURCE, { width: 400, gravity: 'smart', dpi: 72 }))).toBe(
      'rs:fit:400:0/g:sm/dpi:72',
    )
  })
})

describe('a security option', () => {
  test('is written where the server allows it', () => {
    const allowing = imgproxy({ ...builder, allowSecurityOptions: true })
    const wish: ImageOptions = {
      maxSourceMegapixels: 10,
      maxSourceBytes: 100,
      maxAnimationFrames: 1,
      maxAnimationFrameMegapixels: 1.5,
      maxResultDimension: 50,
    }
    expect(segments(allowing.url(SOURCE, wish))).toBe('msr:10/msfs:100/maf:1/mafr:1.5/mrd:50')
    expect(() => allowing.url(SOURCE, { maxAnimationFrames: 0 })).toThrow(refused(/1 or more/))
  })
})
