// reboot(8): ends the system. -h halts (default), -r restarts the machine, -n does not sync, -d dumps, -f says that
// what the machine was started for has failed (the status of `ptmap run`).
import { err, set_progname, usage } from "../lib/errors";
import { getopt } from "../lib/getopt";
import { reboot, sync } from "../lib/syscalls";

const RB_NOSYNC: u32 = 0x4;
const RB_HALT: u32 = 0x8;
const RB_DUMP: u32 = 0x100;
const RB_STRING: u32 = 0x400;

export function main(argc: i32, argv: usize, envp: usize): i32 {
  let how = RB_HALT;
  set_progname(cs("reboot"));
  for (let letter = getopt(argc, argv, cs("dfhnr")); letter != -1; letter = getopt(argc, argv, cs("dfhnr"))) {
    if (letter == 0x64) how |= RB_DUMP;
    else if (letter == 0x66) how |= RB_STRING;
    else if (letter == 0x6e) how |= RB_NOSYNC;
    else if (letter == 0x72) how &= ~RB_HALT;
    else if (letter == 0x3f) usage(cs("reboot [-dfhnr]"));
  }
  if ((how & RB_NOSYNC) == 0) sync();
  reboot(how, cs("failed"));
  err(1, cs("reboot"));
  return 1;
}
