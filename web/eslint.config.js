import js from '@eslint/js';
import svelte from 'eslint-plugin-svelte';
import globals from 'globals';
import ts from 'typescript-eslint';

export default ts.config(
  { ignores: ['node_modules/'] },
  js.configs.recommended,
  ...ts.configs.strict,
  ...svelte.configs.recommended,
  { languageOptions: { globals: globals.es2021 } },
  { files: ['ui/**', 'worker/**'], languageOptions: { globals: { ...globals.browser, ...globals.worker } } },
  {
    files: ['**/*.svelte', '**/*.svelte.ts'],
    languageOptions: { parserOptions: { parser: ts.parser } },
    rules: { 'no-undef': 'off' }, // svelte-check knows types and globals
  },
  {
    // The core knows neither page nor network nor clock: whatever it needs is an argument.
    files: ['core/**'],
    rules: {
      'no-restricted-globals': [
        'error',
        'Date', 'performance', 'setTimeout', 'setInterval', 'fetch', 'WebSocket', 'crypto', 'window', 'document',
        'navigator', 'localStorage', 'sessionStorage', 'console',
      ],
      'no-restricted-imports': ['error', { patterns: ['**/worker/*', '**/ui/*', 'svelte*'] }],
      'no-restricted-properties': ['error', { object: 'Math', property: 'random' }],
    },
  },
  { rules: { eqeqeq: 'error', '@typescript-eslint/no-non-null-assertion': 'error' } },
);
