// The command line: what is refused, with which words and which exit status.
import { spawnSync } from "node:child_process";
import { existsSync, linkSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import t from "tap";
import { nearest, parseArguments, parseSize } from "../../tools/cli/args.js";
import { COMMANDS } from "../../tools/cli/flags.js";
import { WORKLOADS } from "../../tools/cli/workloads.js";
import { inodeOffset } from "../../tools/ffs/geometry.js";
import { FfsImage, fileOfBytes, makeImage, type DirectoryNode } from "../../tools/ffs/index.js";

t.setTimeout(300_000);

const MAIN = fileURLToPath(new URL("../../tools/cli/main.js", import.meta.url));

interface Outcome {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function ptmap(...argv: string[]): Outcome {
  const script = `import(${JSON.stringify(MAIN)}).then(async (m) => { process.exitCode = await m.main(process.argv.slice(1)); });`;
  const child = spawnSync(process.execPath, ["-e", script, "--", ...argv], { encoding: "utf8", timeout: 120_000 });
  return { status: child.status, stdout: child.stdout, stderr: child.stderr };
}

/** Usage errors: arguments, and what the one line on stderr must name. */
const USAGE: readonly (readonly [argv: readonly string[], pattern: RegExp])[] = [
  [["boott"], /unknown command 'boott'; did you mean 'boot'/],
  [["run", "burge", "--repiar", "end"], /unknown flag '--repiar' of 'ptmap run'; did you mean '--repair'/],
  [["run", "burg"], /unknown workload 'burg'; did you mean 'burge'/],
  [["run"], /needs WORKLOAD/],
  [["run", "burge", "extra"], /takes no operand 'extra'/],
  [["run", "burge", "--repair", "ends"], /'--repair' takes any of end,ref,unwire,offset, not 'ends'/],
  [["run", "mfs-cycle", "--repair", "end"], /'--repair' means nothing to the workload 'mfs-cycle'/],
  [["run", "burge", "--cpu", "i286"], /'--cpu' is one of i386, i486, pentium, i686, not 'i286'/],
  [["run", "burge", "--mem", "lots"], /'--mem' needs a size such as 64M or 8192, not 'lots'/],
  [["run", "burge", "--mem", "3M"], /'--mem' needs whole megabytes from 8M to 1024M/],
  [["run", "burge", "--mfs-size", "32K"], /'--mfs-size' needs at least 64K/],
  [["run", "mfs-ways", "--mfs-size", "2M"], /'--mfs-size' needs at least 4M for mfs-ways, not '2M'/],
  [["run", "mfs-ways", "--rows", "aobj,sideways"], /'--rows' takes any of process,.*,bound, not 'sideways'/],
  [["run", "mfs-cycle", "--rows", "aobj"], /'--rows' means nothing to the workload 'mfs-cycle'/],
  [["run", "mfs-ways", "--requests", "1"], /'--requests' needs a number from 2/],
  [["run", "burge", "--plot", "x.svg"], /'--plot' means nothing to the workload 'burge'/],
  [["run", "fault-policies", "--mfs-size", "8M"], /'--mfs-size' means nothing to the workload 'fault-policies'/],
  [["run", "burge", "--bsize", "5000"], /'--bsize' needs a power of two/],
  [["run", "burge", "--bsize", "8192", "--fsize", "512"], /a block holds 1, 2, 4 or 8 fragments/],
  [["run", "burge", "--json=yes"], /'--json' takes no value/],
  [["run", "burge", "--capture"], /'--capture' needs a value/],
  [["run", "mfs-cycle", "--mounts", "0"], /'--mounts' needs a number from 1/],
  [["run", "burge", "--pool-fresh", "dirt"], /'--pool-fresh' is zero, junk or junk:HEX, not 'dirt'/],
  [["boot", "--disk-write"], /'--disk-write' needs '--disk FILE'/],
  [["mkfs", "only-one"], /needs IMAGE/],
  [["bench", "gpu"], /unknown benchmark 'gpu'; did you mean 'cpu'/],
];

t.test("a usage error gives one line naming the input and exit status 2", (t) => {
  for (const [argv, pattern] of USAGE) {
    const { status, stderr, stdout } = ptmap(...argv);
    t.equal(status, 2, argv.join(" "));
    t.match(stderr, pattern);
    t.equal(stderr.trimEnd().split("\n").length, 1, "one line");
    t.equal(stdout, "");
  }
  t.end();
});

t.test("a bad input file gives one line and exit status 1", (t) => {
  const folder = mkdtempSync(join(tmpdir(), "ptmap-cli-"));
  t.teardown(() => rmSync(folder, { recursive: true }));
  const file = (name: string, bytes: Uint8Array | string) => {
    writeFileSync(join(folder, name), bytes);
    return join(folder, name);
  };
  const elf64 = new Uint8Array(64);
  elf64.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  const cases: readonly (readonly [argv: readonly string[], pattern: RegExp])[] = [
    [["boot", "--kernel", join(folder, "absent")], /absent: it does not exist/],
    [["boot", "--kernel", folder], /it is a folder/],
    [["boot", "--kernel", file("text", "hello\n".repeat(100))], /text.*Multiboot/],
    [["boot", "--kernel", file("empty", "")], /empty/],
    [["boot", "--kernel", file("elf64", elf64)], /elf64.*(64|32)-bit/],
    [["boot", "--kernel", file("short", elf64.subarray(0, 20))], /short/],
    [["boot", "--root", join(folder, "nowhere")], /nowhere: it does not exist/],
    [["boot", "--root", file("noise", new Uint8Array(65536).fill(0x5a))], /noise.*magic/],
    [["boot", "--disk", file("odd", "123")], /whole number of 512-byte sectors/],
    [["ls", file("noise2", new Uint8Array(65536))], /noise2.*magic/],
    [["fsck", join(folder, "gone")], /gone: it does not exist/],
    [["mkfs", join(folder, "gone"), join(folder, "image")], /gone: it does not exist/],
    [["mkfs", folder, join(folder, "image"), "--size", "300G"], /too many; an image has at most/],
    [["mkfs", folder, join(folder, "image"), "--free", "300G"], /too many; an image has at most/],
    [["run", "burge", "--capture", join(folder, "text")], /cannot make the folder .*text: it is a file/],
    [["run", "burge", "--capture", join(folder, "text/below")], /cannot make the folder .*text.below: ENOTDIR/],
    ...(existsSync("/proc") ? [[["run", "burge", "--capture", "/proc/absent"], /\/proc\/absent: ENOENT/] as const] : []),
  ];
  for (const [argv, pattern] of cases) {
    const { status, stderr } = ptmap(...argv);
    t.equal(status, 1, argv.join(" "));
    t.match(stderr, pattern);
    t.equal(stderr.trimEnd().split("\n").length, 1, "one line");
    t.notMatch(stderr, /at .*\.js:\d+/, "no stack trace");
  }
  t.end();
});

t.test("holes and hard links of a tree have room in the memory file system that fits it", (t) => {
  const folder = mkdtempSync(join(tmpdir(), "ptmap-cli-"));
  t.teardown(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, "hole"), "");
  truncateSync(join(folder, "hole"), 4_000_000);
  writeFileSync(join(folder, "one"), new Uint8Array(1_000_000).fill(1));
  for (const name of ["two", "three", "four"]) linkSync(join(folder, "one"), join(folder, name));
  const run = ptmap("run", "mfs-cycle", "--root", folder, "--json");
  t.equal(run.status, 0);
  t.equal((JSON.parse(run.stdout) as { bytes: number }).bytes, 8_000_000);
  t.end();
});

t.test("a root whose folder is no folder ends the copy with the folder's name", (t) => {
  const folder = mkdtempSync(join(tmpdir(), "ptmap-cli-"));
  t.teardown(() => rmSync(folder, { recursive: true }));
  const file = { name: Buffer.from("file"), node: fileOfBytes(new Uint8Array(3)) };
  const below: DirectoryNode = { kind: "directory", mode: 0o755, mtime: 0, children: [file] };
  const tree: DirectoryNode = { ...below, children: [{ name: Buffer.from("below"), node: below }] };
  const sound = makeImage({ tree });
  const at = inodeOffset(new FfsImage(sound).superblock, new FfsImage(sound).lookup("/below"));
  const broken: readonly (readonly [title: string, size: number, firstBlock: number | undefined])[] = [
    ["a size that ends inside an entry", 3, undefined],
    ["a hole instead of entries", 512, 0],
    ["a hole behind the entries", 40 * 8192, undefined],
  ];
  for (const [title, size, firstBlock] of broken) {
    const image = sound.slice();
    const inode = new DataView(image.buffer, at);
    inode.setBigUint64(8, BigInt(size), true);
    if (firstBlock !== undefined) inode.setUint32(40, firstBlock, true);
    writeFileSync(join(folder, "image"), image);
    const run = ptmap("run", "mfs-cycle", "--root", join(folder, "image"), "--max-cycles", "1000000000");
    t.equal(run.status, 1, title);
    t.match(run.stdout, /^cp: \/src\/\.\/below: Invalid argument$/m);
    t.match(run.stdout, /^mfs-cycle: failed$/m);
    const saved = join(folder, "saved");
    t.equal(ptmap("run", "mfs-cycle", "--root", join(folder, "image"), "--save-mfs", saved).status, 1);
    t.notOk(existsSync(saved), "and no half of a file system is saved");
  }
  t.end();
});

t.test("ls shows a listing that a terminal can take", (t) => {
  const folder = mkdtempSync(join(tmpdir(), "ptmap-cli-"));
  t.teardown(() => rmSync(folder, { recursive: true }));
  const children = [
    { name: Buffer.from("new\nline\x1b[31m"), node: fileOfBytes(new Uint8Array(0), 0, 0o4755) },
    { name: Buffer.from("shared"), node: { kind: "directory", mode: 0o1777, mtime: 0, children: [] } as DirectoryNode },
    { name: Buffer.from("group"), node: fileOfBytes(new Uint8Array(0), 0, 0o2644) },
  ];
  writeFileSync(join(folder, "image"), makeImage({ tree: { kind: "directory", mode: 0o755, mtime: 0, children } }));
  const { stdout } = ptmap("ls", join(folder, "image"));
  t.match(stdout, /-rwsr-xr-x .* new\?line\?\[31m$/m);
  t.match(stdout, /drwxrwxrwt .* shared$/m);
  t.match(stdout, /-rw-r-Sr-- .* group$/m);
  t.equal(stdout.trimEnd().split("\n").length, 3);
  t.end();
});

t.test("--help and --version work everywhere and exit 0", (t) => {
  t.match(ptmap("--version").stdout, /^ptmap \d+\.\d+\.\d+\n$/);
  const general = ptmap("--help");
  t.equal(general.status, 0);
  for (const command of COMMANDS) {
    t.match(general.stdout, command.name);
    const own = ptmap(command.name, "--help");
    t.equal(own.status, 0, `${command.name} --help`);
    for (const flag of command.flags) t.match(own.stdout, `--${flag.name}`);
  }
  for (const workload of WORKLOADS) t.match(ptmap("run", "--help").stdout, workload.name);
  t.equal(ptmap().status, 2, "no command at all is a usage error");
  t.end();
});

t.test("flags may be spelt --name value, --name=value and -name value", (t) => {
  for (const argv of [["--mem", "16M"], ["--mem=16M"], ["-mem", "16M"], ["-mem=16M"]]) {
    t.equal(parseArguments(["boot", ...argv]).values.get("mem"), "16M");
  }
  t.same(parseArguments(["ls", "--", "-odd"]).operands, ["-odd"]);
  t.end();
});

t.test("sizes take K, M, G and hexadecimal", (t) => {
  t.equal(parseSize("64M", "mem"), 64 * 1024 * 1024);
  t.equal(parseSize("8192", "bsize"), 8192);
  t.equal(parseSize("0x1000", "size"), 4096);
  t.equal(parseSize("1g", "size"), 1024 ** 3);
  t.throws(() => parseSize("1.5M", "size"), { message: /needs a size/ });
  t.equal(nearest("repiar", ["root", "repair", "mem"]), "repair");
  t.end();
});
