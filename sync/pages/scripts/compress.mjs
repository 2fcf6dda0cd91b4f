// Puts a gzip copy beside every text file of the built pages: the daemons send it as it is.
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { gzipSync } from 'node:zlib';

const out = process.env.PAGES_OUT ?? resolve(import.meta.dirname, '../dist');
for (const page of ['desk', 'console']) {
  for (const entry of await readdir(join(out, page), { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || !/\.(js|css|html|svg|json)$/.test(entry.name)) continue;
    const path = join(entry.parentPath, entry.name);
    await writeFile(`${path}.gz`, gzipSync(await readFile(path), { level: 9 }));
  }
}
