/**
 * Lets a bundled CommonJS library `require` a module of Node's in an ES module bundle.
 *
 * Why: esbuild leaves such a `require` as a call that throws, because an ES module has none. Here it becomes a
 * static import, so that the program needs no `createRequire` banner in the chunks that it shares with the library.
 */
import { isBuiltin } from 'node:module'
import type { Plugin } from 'esbuild'

export const requiredBuiltins: Plugin = {
  name: 'required-builtins',
  setup(build) {
    build.onResolve({ filter: /^(node:)?[a-z_]+(\/[a-z]+)*$/ }, ({ path, kind, namespace }) => {
      if (kind !== 'require-call' || !isBuiltin(path)) return undefined
      // Two steps: a CommonJS module whose exports are the default export of an ES module that imports.
      return { path, namespace: namespace === 'as-exports' ? 'as-import' : 'as-exports' }
    })
    build.onLoad({ filter: /./, namespace: 'as-exports' }, ({ path }) => ({
      contents: `module.exports = require(${JSON.stringify(path)}).default`,
    }))
    build.onLoad({ filter: /./, namespace: 'as-import' }, ({ path }) => ({
      contents: `export { default } from ${JSON.stringify(path.startsWith('node:') ? path : `node:${path}`)}`,
    }))
  },
}
