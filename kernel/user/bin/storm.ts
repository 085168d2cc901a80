// storm: many processes create, rewrite, rename, link, unlink, mkdir and rmdir in the same folders at once.
//
// `storm [-d folders] [-l length] [-n operations] [-p processes] [-s seed] folder`: each process (8) does so many
// operations (500) in shared folders (4) with files of at most so many bytes (6000). Of its own names each knows what
// it must find; of the common ones, that each file is whole. At the end all names, links and contents are checked,
// everything is removed, and the file system must have as much room as before. The counts are of own names.
import { frame_alloc } from "../../i386/cpufunc";
import { err, errx, set_progname, usage } from "../lib/errors";
import { SIZEOF_STATFS, Statfs } from "../lib/files";
import { getopt, optarg, optind } from "../lib/getopt";
import { exited, wait_for } from "../lib/process";
import { random_below, srandom } from "../lib/random";
import { exit, flush, printf, snprintf } from "../lib/stdio";
import { atoi, malloc } from "../lib/stdlib";
import { _exit, close, fork, mkdir, pipe, read, statfs, sync, write } from "../lib/syscalls";
import { extend_path, new_path, path_text } from "../lib/walk";
import {
  common_create, common_link, common_mkdir, common_move, common_read, common_rename, common_rmdir, common_unlink,
} from "./storm/common";
import {
  own_check, own_create, own_link, own_mixed, own_mkdir, own_move, own_read, own_rename, own_rmdir, own_unlink,
} from "./storm/own";
import {
  FILES, FOLDERS, NOWHERE, PATH_SIZE, PLACES_MAX, SIZEOF_COUNTS, counts, folder_place, name_place, set_word, storm,
} from "./storm/state";
import { check_tree, folders_found, names_found, remove_tree } from "./storm/tree";

const MINIMUM_LENGTH: u32 = 16;
const PROCS_MAX: u32 = 64;

/** One operation. The numbers are chances in a hundred. */
function operate(): void {
  const kind = random_below(100);
  const name = random_below(FILES);
  const other = random_below(FILES);
  const folder = random_below(FOLDERS);
  const another = random_below(FOLDERS);
  if (kind < 14) own_create(name);
  else if (kind < 22) own_unlink(name);
  else if (kind < 30) own_link(name, other);
  else if (kind < 40) own_rename(name, other);
  else if (kind < 48) own_read(name);
  else if (kind < 53) own_mkdir(folder);
  else if (kind < 56) own_rmdir(folder);
  else if (kind < 61) own_move(folder, another);
  else if (kind < 63) own_mixed(name, folder);
  else if (kind < 70) common_create();
  else if (kind < 74) common_unlink();
  else if (kind < 80) common_rename();
  else if (kind < 84) common_link();
  else if (kind < 88) common_read();
  else if (kind < 92) common_mkdir();
  else if (kind < 94) common_rmdir();
  else common_move();
}

/** A process: its operations, what it finds at the end, and its counts through the pipe. */
function serve(proc: u32, report: i32): void {
  storm.proc = proc;
  srandom(storm.seed * PROCS_MAX + proc);
  for (let k: u32 = 0; k < FILES; k++) set_word(name_place, k, NOWHERE);
  for (let k: u32 = 0; k < FOLDERS; k++) set_word(folder_place, k, NOWHERE);
  for (storm.op = 1; storm.op <= storm.ops; storm.op++) operate();
  own_check();
  if (write(report, changetype<usize>(counts), SIZEOF_COUNTS) != i32(SIZEOF_COUNTS)) err(1, cs("pipe"));
  flush();
  _exit(0);
}

/** Starts the processes and adds up what they report. => how many failed */
function run(): u32 {
  const fds = frame_alloc(8);
  const statusp = frame_alloc(4);
  const part = frame_alloc(SIZEOF_COUNTS);
  const pids = malloc(4 * storm.procs);
  if (pipe(fds) != 0) err(1, cs("pipe"));
  flush();
  for (let proc: u32 = 0; proc < storm.procs; proc++) {
    const pid = fork();
    if (pid < 0) err(1, cs("fork"));
    if (pid == 0) serve(proc, load<i32>(fds + 4));
    store<i32>(pids + 4 * proc, pid);
  }
  close(load<i32>(fds + 4));
  let reports: u32 = 0;
  while (read(load<i32>(fds), part, SIZEOF_COUNTS) == i32(SIZEOF_COUNTS)) {
    for (let at: u32 = 0; at < SIZEOF_COUNTS; at += 4) {
      const total = changetype<usize>(counts) + at;
      store<u32>(total, load<u32>(total) + load<u32>(part + at));
    }
    reports++;
  }
  let failed: u32 = 0;
  for (let proc: u32 = 0; proc < storm.procs; proc++) {
    const status = wait_for(load<i32>(pids + 4 * proc), statusp);
    if (status == 0) continue;
    failed++;
    const how = exited(load<i32>(statusp)) ? cs("ended with status") : cs("was killed, status");
    printf(cs("storm: process %u %s %d\n"), proc, how, status);
  }
  if (failed == 0 && reports != storm.procs) errx(1, cs("%u of %u processes reported"), reports, storm.procs);
  close(load<i32>(fds));
  return failed;
}

/** Blocks and inodes free on the file system, to the words at `freep`. */
function free_space(freep: usize): void {
  const fs = changetype<Statfs>(frame_alloc(SIZEOF_STATFS));
  sync();
  if (statfs(storm.top, changetype<usize>(fs)) != 0) err(1, storm.top);
  store<u32>(freep, fs.f_bfree);
  store<u32>(freep + 4, fs.f_ffree);
}

/** The folder that all happens in, and the shared ones in it. */
function set_up(): void {
  const path = malloc(PATH_SIZE);
  storm.data = malloc(storm.maxlen + 16);
  storm.wanted = malloc(storm.maxlen + 16);
  if (mkdir(storm.top, 0x1ff) != 0) err(1, storm.top);
  for (let place: u32 = 0; place < storm.places; place++) {
    snprintf(path, PATH_SIZE, cs("%s/d%u"), storm.top, place);
    if (mkdir(path, 0x1ff) != 0) err(1, path);
  }
}

function take_options(argc: i32, argv: usize): void {
  const how = cs("storm [-d folders] [-l length] [-n operations] [-p processes] [-s seed] folder");
  while (true) {
    const letter = getopt(argc, argv, cs("d:l:n:p:s:"));
    if (letter == -1) break;
    const value = u32(atoi(optarg()));
    if (letter == 0x64) storm.places = value;
    else if (letter == 0x6c) storm.maxlen = value;
    else if (letter == 0x6e) storm.ops = value;
    else if (letter == 0x70) storm.procs = value;
    else if (letter == 0x73) storm.seed = value;
    else usage(how);
  }
  if (argc - optind() != 1) usage(how);
  if (storm.places == 0 || storm.places > PLACES_MAX) errx(1, cs("-d: 1 to %u folders"), PLACES_MAX);
  if (storm.procs == 0 || storm.procs > PROCS_MAX) errx(1, cs("-p: 1 to %u processes"), PROCS_MAX);
  if (storm.maxlen < MINIMUM_LENGTH) errx(1, cs("-l: at least %u bytes"), MINIMUM_LENGTH);
}

export function main(argc: i32, argv: usize, envp: usize): i32 {
  const before = frame_alloc(8);
  const after = frame_alloc(8);
  set_progname(cs("storm"));
  storm.places = 4;
  storm.maxlen = 6000;
  storm.ops = 500;
  storm.procs = 8;
  storm.seed = 1;
  take_options(argc, argv);
  const path = new_path(load<usize>(argv + 4 * optind()));
  storm.top = path_text(path);
  printf(cs("seed = %u\n"), storm.seed);
  free_space(before);
  extend_path(path, cs("storm"));
  set_up();
  const failed = run();
  if (failed != 0) errx(1, cs("%u of %u processes failed; %s stays as it is"), failed, storm.procs, storm.top);
  printf(cs("storm: %u processes, %u operations: %u created, %u rewritten, "), storm.procs, storm.procs * storm.ops,
    counts.created, counts.rewritten);
  printf(cs("%u renamed, %u linked, %u unlinked, %u mkdir, %u rmdir, %u read\n"), counts.renamed, counts.linked,
    counts.unlinked, counts.mkdirs, counts.rmdirs, counts.read);
  check_tree(path);
  printf(cs("timing: storm: %u names in %u folders at the end\n"), names_found(), folders_found());
  remove_tree(path);
  storm.top = load<usize>(argv + 4 * optind());
  free_space(after);
  if (load<u32>(before) != load<u32>(after) || load<u32>(before + 4) != load<u32>(after + 4)) {
    errx(1, cs("%u blocks and %u inodes were free, now %u and %u"), load<u32>(before), load<u32>(before + 4),
      load<u32>(after), load<u32>(after + 4));
  }
  printf(cs("storm: all names, links and contents as they should be; all removed\n"));
  exit(0);
  return 0;
}
