import { defineConfig } from 'vite';
import { page } from '../vite.ts';

export default defineConfig(page('desk'));
