// What the builds of both pages share.
import { resolve } from 'node:path';
import react from '@vitejs/plugin-react';
import type { UserConfig } from 'vite';

const here = import.meta.dirname;

export function page(name: 'desk' | 'console'): UserConfig {
  return {
    root: resolve(here, name),
    cacheDir: resolve(here, 'node_modules/.vite', name),
    plugins: [react()],
    resolve: { alias: { '@shared': resolve(here, 'shared/src') } },
    build: {
      outDir: resolve(process.env.PAGES_OUT ?? resolve(here, 'dist'), name),
      emptyOutDir: true,
      target: 'es2022',
      assetsInlineLimit: 0,
      modulePreload: { polyfill: false },
      reportCompressedSize: false,
      chunkSizeWarningLimit: 1000,
    },
    // In development the daemon answers the API: PAGES_API=http://127.0.0.1:8080 npx vite desk
    server: { proxy: { '/api': { target: process.env.PAGES_API ?? 'http://127.0.0.1:8080', ws: true } } },
  };
}
