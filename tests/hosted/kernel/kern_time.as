// Hosted time: 27 May 2000, 22:30:55.
export function time_second(): u32 {
  return 959466655;
}
