// Dates: seconds since 1970 as year, month, day and time, in UTC.
import { frame_alloc } from "../../i386/cpufunc";
import { sprintf } from "./stdio";
import { gettimeofday } from "./syscalls";

@unmanaged
export class Date {
  year: i32;
  /** 0 to 11. */
  month: i32;
  day: i32;
  hour: i32;
  minute: i32;
  second: i32;
}
export const SIZEOF_DATE: u32 = 24;
const ctime_text: usize = memory.data(32);

/** Seconds since 1970. */
export function now(): i32 {
  const tv = frame_alloc(8);
  return gettimeofday(tv, 0) != 0 ? 0 : load<i32>(tv);
}

/** Splits a time. The calendar is counted from 1 March of year 0, whose months have a regular pattern. */
export function to_date(time: i32, date: Date): void {
  let days = time / 86400;
  let rest = time % 86400;
  if (rest < 0) {
    rest += 86400;
    days--;
  }
  date.hour = rest / 3600;
  date.minute = (rest / 60) % 60;
  date.second = rest % 60;
  days += 719468;
  const era = days / 146097;
  const day_of_era = days - era * 146097;
  const year = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
  const day_of_year = day_of_era - (365 * year + year / 4 - year / 100);
  const month = (5 * day_of_year + 2) / 153;
  date.day = day_of_year - (153 * month + 2) / 5 + 1;
  date.month = (month + 2) % 12;
  date.year = year + era * 400 + (date.month < 2 ? 1 : 0);
}

/** Seconds since 1970 of a date in UTC. */
export function from_date(date: Date): i32 {
  // Years begin in March, so that the day of the leap comes last.
  const year = date.month < 2 ? date.year - 1 : date.year;
  const month = (date.month + 10) % 12;
  const era = year / 400;
  const year_of_era = year - era * 400;
  const day_of_year = (153 * month + 2) / 5 + date.day - 1;
  const days = era * 146097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719468;
  return days * 86400 + date.hour * 3600 + date.minute * 60 + date.second;
}

/** `Jan`. The address of three bytes that others follow: print it with %.3s. */
export function month_name(month: i32): usize {
  return cs("JanFebMarAprMayJunJulAugSepOctNovDec") + 3 * month;
}

/** `Sun Nov 22 00:25:45 2026` and a newline, in static memory, as ctime(3); in UTC. */
export function ctime(time: i32): usize {
  const date = changetype<Date>(frame_alloc(SIZEOF_DATE));
  to_date(time, date);
  let days = time / 86400;
  if (time % 86400 < 0) days--;
  const weekday = ((days + 4) % 7 + 7) % 7;
  sprintf(
    ctime_text, cs("%.3s %.3s %2d %02d:%02d:%02d %d\n"), cs("SunMonTueWedThuFriSat") + 3 * weekday,
    month_name(date.month), date.day, date.hour, date.minute, date.second, date.year,
  );
  return ctime_text;
}
