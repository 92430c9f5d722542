"""The desktop in a real browser on a real server: `poise serve --demo` as a process, Chromium driven by Playwright."""
