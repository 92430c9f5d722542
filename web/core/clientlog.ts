/**
 * Lines of the client log, in the grammar that log tools of the original read (diagnosis.md 1.3):
 *
 *     2017-11-15T09:56:08.879 +00:00: : host: Nov 15 2017 09:56:09.370 +0000: Header : text
 */
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
const UNKNOWN = '--- -- ---- --:--:--.--- -----';
export const RING_MAX = 1_572_864;
/** Characters kept for an error report (1.5 MB); the oldest lines go first. */

export interface Clock {
  /** Milliseconds to add to the client's clock to get the server's; null before the first SystemInfo answer. */
  readonly offsetMs: number | null;
  /** Minutes east of UTC of the server's zone. */
  readonly serverZoneMin: number;
}

interface Fields {
  readonly year: number;
  readonly month: number;
  readonly day: number;
  readonly time: string;
}

/** Date and time of day of milliseconds since the epoch, shifted by a zone. */
function fields(ms: number, zoneMin: number): Fields {
  const shifted = Math.floor(ms) + zoneMin * 60_000;
  const days = Math.floor(shifted / 86_400_000);
  const rest = shifted - days * 86_400_000;
  const two = (n: number): string => String(n).padStart(2, '0');
  const time = `${two(Math.floor(rest / 3_600_000))}:${two(Math.floor(rest / 60_000) % 60)}:${two(Math.floor(rest / 1000) % 60)}.${String(rest % 1000).padStart(3, '0')}`;
  // civil date of a day number (Gregorian), eras of 400 years
  const z = days + 719_468;
  const era = Math.floor(z / 146_097);
  const doe = z - era * 146_097;
  const yoe = Math.floor((doe - Math.floor(doe / 1460) + Math.floor(doe / 36_524) - Math.floor(doe / 146_096)) / 365);
  const doy = doe - (365 * yoe + Math.floor(yoe / 4) - Math.floor(yoe / 100));
  const mp = Math.floor((5 * doy + 2) / 153);
  const month = mp < 10 ? mp + 3 : mp - 9;
  return { year: yoe + era * 400 + (month <= 2 ? 1 : 0), month, day: doy - Math.floor((153 * mp + 2) / 5) + 1, time };
}

function zone(minutes: number, colon: string): string {
  const size = Math.abs(minutes);
  return `${minutes < 0 ? '-' : '+'}${String(Math.floor(size / 60)).padStart(2, '0')}${colon}${String(size % 60).padStart(2, '0')}`;
}

/** ISO 8601 in UTC, with milliseconds. */
export function iso(ms: number): string {
  const { year, month, day, time } = fields(ms, 0);
  return `${year}-${String(month).padStart(2, '0')}-${String(day).padStart(2, '0')}T${time}Z`;
}

/** One line. `zoneMin`: minutes east of UTC of the client; `sessionKey`: six characters with persistent logging, else empty. */
export function logLine(wall: number, zoneMin: number, host: string, clock: Clock, origin: string, text: string, sessionKey = ''): string {
  const here = fields(wall, zoneMin);
  const client = `${here.year}-${String(here.month).padStart(2, '0')}-${String(here.day).padStart(2, '0')}T${here.time} ${zone(zoneMin, ':')}`;
  let server = UNKNOWN;
  if (clock.offsetMs !== null) {
    const there = fields(wall + clock.offsetMs, clock.serverZoneMin);
    server = `${MONTHS[there.month - 1]} ${String(there.day).padStart(2, '0')} ${there.year} ${there.time} ${zone(clock.serverZoneMin, '')}`;
  }
  return `${client}: ${sessionKey}: ${host}: ${server}: ${origin} : ${text.replace(/[\r\n]+/g, ' ')}`;
}

/** The line of the minute: drift and latency. */
export function driftText(client: number, server: number, driftMs: number, roundTripMs: number): string {
  return `Client: ${iso(client)}, Server: ${iso(server)}, Drift: ${Math.round(driftMs)} ms, Network Latency (round trip): ${Math.round(roundTripMs)} ms`;
}

/** Where the server's clock stands against ours: its stamp is taken to be from the middle of the round trip. */
export function measured(sentWall: number, roundTripMs: number, serverStamp: number): number {
  return serverStamp - (sentWall + roundTripMs / 2);
}

/** The last lines, bounded by their size. */
export class Ring {
  private lines: string[] = [];
  private size = 0;

  add(line: string): void {
    this.lines.push(line);
    this.size += line.length + 1;
    while (this.size > RING_MAX) this.size -= (this.lines.shift() ?? '').length + 1;
  }

  get text(): string {
    return this.lines.join('\n');
  }
}
