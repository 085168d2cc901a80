// A person's session: what is typed at the prompt, and what the console shows from there to the next prompt.

export interface Step {
  readonly title: string;
  /** Typed at the prompt. */
  readonly type: string;
  /**
   * What is then awaited, and typed when it has come. Two strings: a text to wait for, and the keys; a number: so many
   * seconds in which nothing may come.
   */
  readonly then?: readonly (readonly [awaited: string, keys: string] | number)[];
  /** What the console shows from the prompt to the next one; `{n}` stands for a number. */
  readonly shows: string;
}

const RUB = "\b \b";
const rub = (count: number): string => RUB.repeat(count);

export const STEPS: readonly Step[] = [
  { title: "a command", type: "echo hello\r", shows: "echo hello\nhello\n" },
  { title: "^? and ^H erase a byte", type: "ecoh\x7f\x7f\x7fcho one\b\b\btwo\r", shows: `ecoh${rub(3)}cho one${rub(3)}two\ntwo\n` },
  { title: "^U erases the line", type: "rubbish\x15echo kept\r", shows: `rubbish${rub(7)}echo kept\nkept\n` },
  { title: "^W erases a word", type: "echo alpha beta\x17gamma\r", shows: `echo alpha beta${rub(4)}gamma\nalpha gamma\n` },
  { title: "^R prints the line again", type: "echo re\x12print\r", shows: "echo re^R\necho reprint\nreprint\n" },
  { title: "^V takes the next byte as it is", type: "echo a\x16\x7fb | wc -c\r", shows: "echo a^\b^?b | wc -c\n       4\n" },
  { title: "^C at the prompt forgets the line", type: "half a line\x03", shows: "half a line^C\n" },
  { title: "^C ends a program", type: "sleep 100\r", then: [["sleep 100\n", "\x03"]], shows: "sleep 100\n^C\n" },
  { title: "its status", type: "echo $?\r", shows: "echo $?\n130\n" },
  { title: "^\\ ends a program, with a core file", type: "cd /tmp; sleep 100\r", then: [["sleep 100\n", "\x1c"]], shows: "cd /tmp; sleep 100\n^\\Quit (core dumped)\n" },
  { title: "^D ends the input", type: "cat >/tmp/f\r", then: [["cat >/tmp/f\n", "one\rtwo\r\x04"]], shows: "cat >/tmp/f\none\ntwo\n^D\b\b" },
  { title: "what was typed is there", type: "cat f; cd\r", shows: "cat f; cd\none\ntwo\n" },
  { title: "a pipe", type: "ls / | sort -r | head -2\r", shows: "ls / | sort -r | head -2\ntmp\nsrc\n" },
  { title: "a here-document, with prompts", type: "cat <<END | wc -l\r", then: [["\n> ", "home $HOME\r"], ["\n> ", "two\r"], ["\n> ", "END\r"]], shows: "cat <<END | wc -l\n> home $HOME\n> two\n> END\n       2\n" },
  { title: "a loop over lines, with prompts", type: "for i in 1 2\r", then: [["\n> ", "do echo $i\r"], ["\n> ", "done\r"]], shows: "for i in 1 2\n> do echo $i\n> done\n1\n2\n" },
  { title: "^C leaves the second prompt", type: "if true\r", then: [["\n> ", "th\x03"]], shows: "if true\n> th^C\n" },
  { title: "^Z stops a program", type: "sleep 100\r", then: [["sleep 100\n", "\x1a"]], shows: "sleep 100\n^Z\n[1] + Suspended                 sleep 100\n" },
  { title: "jobs lists it", type: "jobs\r", shows: "jobs\n[1] + Suspended                 sleep 100\n" },
  { title: "bg lets it go on behind the prompt", type: "bg; jobs\r", shows: "bg; jobs\n[1] sleep 100\n[1] + Running                   sleep 100\n" },
  { title: "fg before it, ^T tells what it does, ^C ends it", type: "fg\r", then: [["fg\nsleep 100\n", "\x14"], ["\n", "\x03"]], shows: "fg\nsleep 100\nload: {n}.{n}  cmd: sleep {n} [nanosleep] {n}.{n}u {n}.{n}s {n}k\n^C\n" },
  { title: "a job in the background", type: "sleep 100 &\r", shows: "sleep 100 &\n[1] {n}\n" },
  { title: "another one, a pipeline", type: "sleep 200 | cat &\r", shows: "sleep 200 | cat &\n[2] {n}\n" },
  { title: "both are listed", type: "jobs\r", shows: "jobs\n[1] - Running                   sleep 100\n[2] + Running                   sleep 200 | cat\n" },
  { title: "kill and wait", type: "kill %1 $!; wait; echo waited $?\r", shows: "kill %1 $!; wait; echo waited $?\nwaited 0\n" },
  { title: "a job that ends is announced", type: "true &\r", then: [["\n# ", "sleep 1\r"]], shows: "true &\n[1] {n}\n# sleep 1\n[1] + Done                      true\n" },
  { title: "a program behind the prompt stops when it reads", type: "cat &\r", then: [["\n# ", "sleep 1\r"]], shows: "cat &\n[1] {n}\n# sleep 1\n[1] + Stopped (tty input)       cat\n" },
  { title: "and reads before it", type: "fg\r", then: [["fg\ncat\n", "typed\r"], ["typed\ntyped\n", "\x04"]], shows: "fg\ncat\ntyped\ntyped\n^D\b\b" },
  { title: "^S holds output back until ^Q", type: "for i in 1 2 3; do sleep 1; echo tick $i; done\r", then: [["tick 1\n", "\x13"], 3, ["", "\x11"]], shows: "for i in 1 2 3; do sleep 1; echo tick $i; done\ntick 1\ntick 2\ntick 3\n" },
  { title: "^C ends a loop, not only its program", type: "while :; do sleep 1; done\r", then: [["done\n", ""], 2, ["", "\x03"]], shows: "while :; do sleep 1; done\n^C\n" },
  { title: "mount_mfs", type: "mount_mfs -s 2m -o window=4 swap /mnt; df /mnt\r", shows: "mount_mfs -s 2m -o window=4 swap /mnt; df /mnt\nFilesystem   512-blocks      Used     Avail Capacity  Mounted on\nswap              3902         2      3704      0%    /mnt\n" },
  { title: "files on it", type: "cp /etc/rc /mnt && cmp /etc/rc /mnt/rc && ls -l /mnt\r", shows: "cp /etc/rc /mnt && cmp /etc/rc /mnt/rc && ls -l /mnt\ntotal {n}\n-rw-r--r--  1 root  wheel  {n} May 27 22:{n} rc\n" },
  { title: "umount of a file system in use", type: "cd /mnt; umount /mnt; cd /\r", shows: "cd /mnt; umount /mnt; cd /\numount: /mnt: Device busy\n" },
  { title: "and of one that is not", type: "umount /mnt && ls /mnt\r", shows: "umount /mnt && ls /mnt\n" },
  { title: "umount by force", type: "mount_mfs -s 2m swap /mnt; sleep 100 >/mnt/open &\r", then: [["\n# ", "sleep 1; umount /mnt; umount -f /mnt && kill %1; wait\r"]], shows: "mount_mfs -s 2m swap /mnt; sleep 100 >/mnt/open &\n[1] {n}\n# sleep 1; umount /mnt; umount -f /mnt && kill %1; wait\numount: /mnt: Device busy\n" },
  { title: "errors have words", type: "cat /nowhere; nosuch; mkdir /etc; cd /etc/rc\r", shows: "cat /nowhere; nosuch; mkdir /etc; cd /etc/rc\ncat: /nowhere: No such file or directory\nsh: nosuch: not found\nmkdir: /etc: File exists\nsh: cd: /etc/rc: Not a directory\n" },
  { title: "exit warns of stopped jobs", type: "sleep 100\r", then: [["sleep 100\n", "\x1a"], ["\n# ", "exit\r"]], shows: "sleep 100\n^Z\n[1] + Suspended                 sleep 100\n# exit\nYou have stopped jobs.\n" },
  { title: "exit, and init begins anew", type: "exit\r", shows: "exit\n" },
  { title: "the invariants of the kernel hold", type: "sysctl debug.check\r", shows: "sysctl debug.check\ndebug.check = 0\n" },
];
