/** What this computer remembers between two visits. Never a password. A browser that forbids storage remembers nothing. */
const PREFIX = 'poise.';

export const memory = {
  read<T>(name: string, otherwise: T): T {
    try {
      const text = localStorage.getItem(PREFIX + name);
      return text === null ? otherwise : (JSON.parse(text) as T);
    } catch {
      return otherwise;
    }
  },
  write(name: string, value: unknown): void {
    try {
      localStorage.setItem(PREFIX + name, JSON.stringify(value));
    } catch {
      // remembered or not: nothing depends on it
    }
  },
  forget(name: string): void {
    try {
      localStorage.removeItem(PREFIX + name);
    } catch {
      // as above
    }
  },
};
