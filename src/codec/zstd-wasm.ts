/**
 * The zstd decoder of the zstddec package as WebAssembly: one published file, which service worker, loader and Node start by themselves
 * (zstd-decoder.ts). The build takes it out of the package and refuses a package that holds another one.
 */
export const zstdWasmFile = 'zstd.wasm';

/** Of the file's bytes, hex. A build is trusted to hold these, a server is not. */
export const zstdWasmSha256 = '8b093c4c144273776d511f3baaa0fec32c111500c2798cb4569a71479020e72a';
