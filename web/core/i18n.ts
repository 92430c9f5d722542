/**
 * Texts of the catalogues with their parameters:
 *
 *     {name}               the parameter as it is; numbers in the language's form
 *     {@name}              the parameter is itself a key of the catalogue
 *     {name:duration}      seconds as 0:47 or 1:02:03
 *     {name:time}          milliseconds since the epoch as the time of day here
 *     {n|{n} call|{n} calls}   one form, or the other (Intl.PluralRules)
 */
export type Catalogue = Readonly<Record<string, string>>;
export type Params = Readonly<Record<string, string | number>>;

const PLURAL = /\{(\w+)\|((?:[^{}|]|\{\w+\})*)\|((?:[^{}|]|\{\w+\})*)\}/g;
const PARAM = /\{(@?)(\w+)(:duration|:time)?\}/g;

export class Formatter {
  private readonly plural: Intl.PluralRules;
  private readonly number: Intl.NumberFormat;
  private readonly time: Intl.DateTimeFormat;

  constructor(
    readonly locale: string,
    private readonly catalogue: Catalogue,
    private readonly fallback: Catalogue = {},
  ) {
    this.plural = new Intl.PluralRules(locale);
    this.number = new Intl.NumberFormat(locale);
    this.time = new Intl.DateTimeFormat(locale, { timeStyle: 'medium' });
  }

  has(key: string): boolean {
    return key in this.catalogue || key in this.fallback;
  }

  /** The text of a key; a key that is missing everywhere is shown as it is, so that it is seen. */
  text(key: string, params: Params = {}): string {
    const text = this.catalogue[key] ?? this.fallback[key] ?? key;
    return text
      .replace(PLURAL, (_, name: string, one: string, other: string) => (this.plural.select(Number(params[name] ?? 0)) === 'one' ? one : other))
      .replace(PARAM, (_, nested: string, name: string, kind: string | undefined) => {
        const given = params[name] ?? '';
        if (nested) return this.text(String(given));
        if (kind === ':duration') return duration(Number(given));
        if (kind === ':time') return this.time.format(Number(given));
        return typeof given === 'number' ? this.number.format(given) : given;
      });
  }
}

/** Seconds as m:ss, or h:mm:ss from an hour on; never below zero. */
export function duration(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  const two = (n: number): string => String(n).padStart(2, '0');
  const hours = Math.floor(whole / 3600);
  const rest = `${hours ? two(Math.floor(whole / 60) % 60) : Math.floor(whole / 60)}:${two(whole % 60)}`;
  return hours ? `${hours}:${rest}` : rest;
}

/** Which of the offered languages a list of wishes means: the exact one, else one of the same language, else the first. */
export function choose(wishes: readonly string[], offered: readonly string[]): string {
  for (const wish of wishes) {
    const lower = wish.toLowerCase();
    const exact = offered.find((one) => one.toLowerCase() === lower);
    const related = offered.find((one) => one.toLowerCase().split('-')[0] === lower.split('-')[0]);
    if (exact !== undefined || related !== undefined) return exact ?? related ?? '';
  }
  return offered[0] ?? 'en';
}
