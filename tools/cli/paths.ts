// Where the built things are, seen from build/host/tools/cli, in a checkout and
// in an installed package alike.

import { fileURLToPath } from "node:url";

/** The project's (or package's) top folder, with a trailing slash. */
export const PROJECT = fileURLToPath(new URL("../../../../", import.meta.url));
export const KERNEL = `${PROJECT}build/kernel.elf`;
/** ELF files of user space, for root file systems. */
export const PROGRAMS = `${PROJECT}build/user/bin`;
export const LAYOUTS = `${PROJECT}build/kernel.layouts.json`;
/** Folders that the default workload copies: the documents and the sources. */
export const DEFAULT_TREE = ["docs", "emu", "fs", "kernel", "tools", "vm"];
/** Files of /etc on a root with user space, and the scripts of the workloads. */
export const ETC = `${PROJECT}kernel/user/etc`;
export const WORKLOAD_SCRIPTS = `${PROJECT}kernel/user/workloads`;
