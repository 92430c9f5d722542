import { fileURLToPath } from 'node:url';
import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vitest/config';

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

export default defineConfig({
  root: here('.'),
  base: '/desktop/',
  plugins: [svelte()],
  build: {
    outDir: here('../src/poise/server/desktop/static'),
    emptyOutDir: true,
    rollupOptions: { input: { index: here('index.html'), test: here('test.html'), locallog: here('locallog.html') } },
    target: 'es2022',
    // Small files would be put into the page as data: addresses, which the content security policy forbids.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
  },
  worker: { format: 'es' },
  test: { include: ['tests/**/*.test.ts'], environment: 'node' },
});
