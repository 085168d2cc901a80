// sysctl ddb: the settings of the debugger, as its command `set` has them.
import { db_setting_address } from "./ddb/db_variables";
import { sysctl_set_word } from "./kern_sysctl";
import { ENOTDIR, EOPNOTSUPP } from "./sys/errno";
import {
  DDBCTL_FROMCONSOLE, DDBCTL_LINES, DDBCTL_MAXOFF, DDBCTL_MAXWIDTH, DDBCTL_ONPANIC, DDBCTL_RADIX, DDBCTL_TABSTOPS,
} from "./sys/sysctl";
import { Sys__sysctlArgs } from "./syscallargs";

/** The setting's name in DDB; 0 = there is none. */
function setting_name(variable: u32): usize {
  switch (variable) {
    case DDBCTL_RADIX: return cs("radix");
    case DDBCTL_MAXOFF: return cs("maxoff");
    case DDBCTL_MAXWIDTH: return cs("maxwidth");
    case DDBCTL_LINES: return cs("lines");
    case DDBCTL_TABSTOPS: return cs("tabstops");
    case DDBCTL_ONPANIC: return cs("onpanic");
    case DDBCTL_FROMCONSOLE: return cs("fromconsole");
    default: return 0;
  }
}

/** The least value that DDB can work with: it divides by the radix and by the tab stops. */
function least_value(variable: u32): u32 {
  if (variable == DDBCTL_RADIX) return 8;
  return variable == DDBCTL_TABSTOPS || variable == DDBCTL_MAXWIDTH ? 1 : 0;
}

/** The variables of ddb. EOPNOTSUPP for one that there is not. Sleeps. */
export function sysctl_ddb(uap: Sys__sysctlArgs, name: usize, count: u32): i32 {
  if (count != 1) return ENOTDIR;
  const variable = load<u32>(name);
  const setting = setting_name(variable);
  if (setting == 0) return EOPNOTSUPP;
  const most: u32 = variable == DDBCTL_RADIX ? 16 : 0x7fffffff;
  return sysctl_set_word(uap, db_setting_address(setting), least_value(variable), most);
}
