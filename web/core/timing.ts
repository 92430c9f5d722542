/** Every time the desktop keeps, in milliseconds, with its source and what breaks if it is changed. */

/** A SystemInfo check while all is well (the seed shows one a minute; drift and latency are measured with it). */
export const CHECK_MS = 60_000;
/** The same while reconnecting or out of service (Finesse guide, failover chapter). */
export const CHECK_LOST_MS = 20_000;
/** Longest time an ordinary request may take; longer, and a dead network looks like a slow one. */
export const REQUEST_MS = 10_000;
/** What a held request may take beyond its wait of 30 s; JabberWerx allows the same 5 s. */
export const HELD_EXTRA_MS = 5_000;
/** Rests before the second and third sending of one BOSH request; the guide: three attempts before "disconnected". */
export const RESEND_MS: readonly number[] = [250, 1_000];
/** Rests before each new session; the last one goes on. Longer ones would miss the 35 s in which everybody must be back. */
export const RETRY_MS: readonly number[] = [0, 1_000, 2_000, 4_000, 8_000];
/** Part of a rest that is left to chance, or thousands of desktops come back in the same instant. */
export const JITTER = 0.2;
/** Silence on a WebSocket after which the server is pinged (Finesse guide: 10 s, two retries). */
export const PING_MS = 10_000;
export const PING_RETRIES = 2;
/** Time an accepted request (202) has until its event; then the agent is told that nothing came. */
export const OUTCOME_MS = 15_000;
/** A gap between two ticks of one second from which on the computer was asleep, not busy. */
export const ASLEEP_MS = 10_000;
/** Longest absence after which READY is restored; after a longer one nobody may sit in front of the screen. */
export const RESTORE_READY_MS = 180_000;
/** Round trip from which on the connection is called slow. */
export const SLOW_MS = 1_500;
/** How often timers of the session are looked at. */
export const TICK_MS = 1_000;
