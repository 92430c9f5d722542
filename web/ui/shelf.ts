/** Local storage as the persistent log needs it; a browser that forbids storage has an empty one in which nothing stays. */
import type { Shelf } from '../core/locallog';

export const shelf: Shelf = {
  get(key) {
    try {
      return localStorage.getItem(key);
    } catch {
      return null;
    }
  },
  set(key, value) {
    localStorage.setItem(key, value);
  },
  remove(key) {
    try {
      localStorage.removeItem(key);
    } catch {
      // nothing is there
    }
  },
};
