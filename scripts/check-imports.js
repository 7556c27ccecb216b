/**
 * Refuses imports that would turn the parts of `src/` into one lump.
 *
 * Why: a user who needs one adapter must not pay for the others, an optional peer must stay optional, and a part
 * must be readable in one sitting. An import is the place where each of these is lost, and a review overlooks it.
 * So is a file that only ever grows, and a name that any function fits into.
 *
 * Usage: `node scripts/check-imports.js [folder]`. The rules are in `import-rules.js`.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { isBuiltin } from 'node:module'
import { dirname, join, relative, resolve, sep } from 'node:path'
import ts from 'typescript'
import {
  BUNDLED,
  COMPOSERS,
  FORBIDDEN_NAME,
  MAX_LINES,
  MAY_IMPORT,
  PEER_HOMES,
  SEPARATE,
} from './import-rules.js'

if (process.argv[1] === import.meta.filename) {
  const { files, problems } = checkImports(resolve(process.argv[2] ?? '.'))
  for (const problem of problems) console.error(problem)
  if (problems.length > 0) process.exit(1)
  console.log(`import rules hold in ${files} files`)
}

/**
 * @param {string} root the folder of package.json
 * @returns {{ files: number, problems: string[] }} one sentence a problem
 */
export function checkImports(root) {
  const project = readProject(root)
  const files = sourceFiles(project.src)
  const others = ['test', 'scripts', 'bench', 'examples'].flatMap(name => sourceFiles(join(root, name)))
  const problems = [
    ...project.peers.filter(peer => !PEER_HOMES[peer]).map(homelessPeer),
    ...files.flatMap(file => checkFile(project, file)),
    ...others.flatMap(file => checkName(project, file)),
  ]
  return { files: files.length, problems }
}

function readProject(root) {
  const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  return {
    root,
    src: join(root, 'src'),
    dependencies: Object.keys(manifest.dependencies ?? {}),
    peers: Object.keys(manifest.peerDependencies ?? {}),
  }
}

function homelessPeer(peer) {
  return `package.json: the optional peer ${peer} has no home; name it in PEER_HOMES of scripts/import-rules.js`
}

function checkFile(project, file) {
  const text = readFileSync(file, 'utf8')
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true)
  const lines = text.split('\n').length - 1
  const found = checkName(project, file)
  if (lines > MAX_LINES)
    found.push(`${shown(project, file)}: ${lines} lines; past ${MAX_LINES} something else lives here`)
  for (const { target, kind, line } of importsOf(source)) {
    const problem = checkImport(project, file, target, kind)
    if (problem) found.push(`${shown(project, file)}:${line}: ${problem}`)
  }
  return found
}

function checkName(project, file) {
  const path = relative(project.root, file).split(sep).join('/')
  return FORBIDDEN_NAME.test(path)
    ? [`${shown(project, file)}: this name says nothing; name it by what it knows`]
    : []
}

/** `kind` is `static`, `dynamic` or `type`. */
function checkImport(project, file, target, kind) {
  const from = unitOf(project, file)
  if (!target.startsWith('.')) return checkPackage(project, from, target, kind)
  const path = resolve(dirname(file), target)
  if (path === join(project.root, 'package.json') && from === 'cli') return undefined
  if (!path.startsWith(project.src + sep)) return `${target} is outside src`
  if (!existsSync(path)) return `${target} is not there; imports name the file with its extension`
  const to = unitOf(project, path)
  if (from === 'open' && kind === 'static' && to !== 'core' && to !== 'open') {
    return `open imports ${to} only when it is asked for: use import()`
  }
  if (to === from || to === 'core' || (COMPOSERS.includes(from) && !COMPOSERS.includes(to))) return undefined
  if (from === 'cli' && to === 'open') return undefined
  if (allowed(from).includes(to) || isIndexOver(from, to) || isPartOfFolder(project, from, to))
    return undefined
  if (from === 'core') return `core imports nothing of ours, not ${to}`
  return `${from} must not import ${to}; it may import ${['core', ...allowed(from)].join(', ')}`
}

function checkPackage(project, from, target, kind) {
  if (target.startsWith('node:')) return undefined
  if (isBuiltin(target)) return `write node:${target}`
  const name = target.split('/', target.startsWith('@') ? 2 : 1).join('/')
  if (project.dependencies.includes(name)) return undefined
  if (BUNDLED[name]) return from === BUNDLED[name] ? undefined : `${name} belongs to ${BUNDLED[name]} only`
  if (!project.peers.includes(name))
    return `${name} is neither a dependency nor an optional peer of the package`
  const homes = [PEER_HOMES[name]].flat()
  if (!homes.includes(from)) return `${name} belongs to ${homes.join(' and ')} only`
  if (kind === 'static') return `${name} is an optional peer: use import type, or import() where it is needed`
  return undefined
}

function allowed(unit) {
  return MAY_IMPORT[unit] ?? MAY_IMPORT[`${unit.split('/')[0]}/*`] ?? []
}

/** `decorators/index.ts` lists the members of its folder. */
function isIndexOver(from, to) {
  const [folder, name] = from.split('/')
  return name === 'index' && to.startsWith(`${folder}/`)
}

/** What `index.ts` does not export is no member but a part that the members of its folder share. */
function isPartOfFolder(project, from, to) {
  const [folder] = to.split('/')
  const index = join(project.src, folder, 'index.ts')
  if (from.split('/')[0] !== folder || !existsSync(index)) return false
  const source = ts.createSourceFile(index, readFileSync(index, 'utf8'), ts.ScriptTarget.Latest, true)
  return !importsOf(source).some(({ target }) => unitOf(project, resolve(dirname(index), target)) === to)
}

function unitOf(project, file) {
  const [folder, member] = relative(project.src, file)
    .split(sep)
    .map(part => part.replace(/\.[jt]sx?$/, ''))
  return SEPARATE.includes(folder) && member ? `${folder}/${member}` : folder
}

/**
 * @param {import('typescript').SourceFile} source
 * @returns {{ target: string, kind: 'static' | 'dynamic' | 'type', line: number }[]}
 */
export function importsOf(source) {
  const found = []
  const add = (literal, kind) => {
    if (!literal || !ts.isStringLiteralLike(literal)) return
    const { line } = source.getLineAndCharacterOfPosition(literal.getStart())
    found.push({ target: literal.text, kind, line: line + 1 })
  }
  const visit = node => {
    // `import { type A }` counts as static: with `verbatimModuleSyntax` the import itself stays.
    if (ts.isImportDeclaration(node)) {
      add(node.moduleSpecifier, node.importClause?.isTypeOnly ? 'type' : 'static')
    } else if (ts.isExportDeclaration(node)) {
      add(node.moduleSpecifier, node.isTypeOnly ? 'type' : 'static')
    } else if (ts.isImportTypeNode(node)) {
      add(node.argument.literal, 'type')
    } else if (ts.isCallExpression(node)) {
      const callee = node.expression
      if (callee.kind === ts.SyntaxKind.ImportKeyword) add(node.arguments[0], 'dynamic')
      else if (ts.isIdentifier(callee) && callee.text === 'require') add(node.arguments[0], 'static')
    }
    ts.forEachChild(node, visit)
  }
  visit(source)
  return found
}

function sourceFiles(folder) {
  if (!existsSync(folder)) return []
  return readdirSync(folder, { withFileTypes: true }).flatMap(entry => {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) return ['node_modules', 'fixtures'].includes(entry.name) ? [] : sourceFiles(path)
    return /\.[cm]?[jt]sx?$/.test(entry.name) ? [path] : []
  })
}

function shown(project, file) {
  return relative(project.root, file)
}
