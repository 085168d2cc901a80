// The Gregorian calendar as arithmetic on days, for the clock chip.

export interface CivilTime {
  year: number;
  /** 1-12. */
  month: number;
  /** 1-31. */
  day: number;
  hour: number;
  minute: number;
  second: number;
}

export const SECONDS_PER_DAY = 86400;

/** Days from 1970-01-01 to a date of the Gregorian calendar. Months and days out of range carry over. */
export function daysOfDate(year: number, month: number, day: number): number {
  // Years that begin in March put the leap day last.
  const carried = year + Math.floor((month - 1) / 12);
  const fromMarch = (((month - 3) % 12) + 12) % 12;
  const y = fromMarch >= 10 ? carried - 1 : carried;
  const daysBeforeMonth = Math.floor((153 * fromMarch + 2) / 5);
  return y * 365 + Math.floor(y / 4) - Math.floor(y / 100) + Math.floor(y / 400) + daysBeforeMonth + day - 1 - 719468;
}

/** Seconds from the start of 1970 to a civil time. */
export function secondsOfCivil(time: CivilTime): number {
  const days = daysOfDate(time.year, time.month, time.day);
  return days * SECONDS_PER_DAY + time.hour * 3600 + time.minute * 60 + time.second;
}

/** The civil time of a count of seconds since the start of 1970. */
export function civilOfSeconds(seconds: number): CivilTime {
  const days = Math.floor(seconds / SECONDS_PER_DAY);
  const rest = seconds - days * SECONDS_PER_DAY;
  let year = 1970 + Math.floor(days / 365.2425);
  while (daysOfDate(year + 1, 1, 1) <= days) year++;
  while (daysOfDate(year, 1, 1) > days) year--;
  let month = 1;
  while (month < 12 && daysOfDate(year, month + 1, 1) <= days) month++;
  return {
    year,
    month,
    day: days - daysOfDate(year, month, 1) + 1,
    hour: Math.floor(rest / 3600),
    minute: Math.floor(rest / 60) % 60,
    second: rest % 60,
  };
}

/** The day of the week of a count of seconds: 1 is Sunday, as in the clock chip. */
export function weekdayOfSeconds(seconds: number): number {
  return ((((Math.floor(seconds / SECONDS_PER_DAY) + 4) % 7) + 7) % 7) + 1;
}

/** Reads "2000-05-27T22:30:55". Returns undefined when the text is not such a date. */
export function parseCivil(text: string): CivilTime | undefined {
  const match = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)$/.exec(text);
  if (match === null) return undefined;
  const [year, month, day, hour, minute, second] = match.slice(1).map(Number) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  const time = { year, month, day, hour, minute, second };
  const back = civilOfSeconds(secondsOfCivil(time));
  const same = (Object.keys(time) as (keyof CivilTime)[]).every((key) => time[key] === back[key]);
  return same ? time : undefined;
}
