// Bundles the tests of the pages' pure functions by esbuild and runs them by Node's test runner.
// Run in the folder that holds node_modules and the links src and test (headend/web/CMakeLists.txt).
import {build} from 'esbuild';
import {spawnSync} from 'node:child_process';
import {readdirSync, rmSync} from 'node:fs';

const out = 'test-out';
const tests = readdirSync('test').filter((f) => f.endsWith('.test.ts')).map((f) => `test/${f}`);
rmSync(out, {recursive: true, force: true});
await build({
    entryPoints: tests, outdir: out, outExtension: {'.js': '.mjs'}, bundle: true, format: 'esm', platform: 'node', target: 'node18', loader: {'.css': 'empty'},
    preserveSymlinks: true, sourcemap: 'inline', logLevel: 'warning',
});
const files = readdirSync(out).map((f) => `${out}/${f}`);
const {status} = spawnSync(process.execPath, ['--enable-source-maps', '--test', ...files], {stdio: 'inherit'});
process.exit(status ?? 1);
