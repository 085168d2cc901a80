// Scripts of the shell with what they print on the standard output and the
// status they end with.

export interface ShellCase {
  readonly title: string;
  readonly script: string;
  readonly output: string;
  /** 0 when left out. */
  readonly status?: number;
}

export const SHELL_CASES: readonly ShellCase[] = [
  { title: "quotes keep blanks and bytes", script: `echo 'a  b' "c  d" e\\ \\ f "it's" 'say "x"'`, output: `a  b c  d e  f it's say "x"\n` },
  { title: "backslashes in double quotes", script: `echo "a\\$b \\\\ \\" \\x"`, output: `a$b \\ " \\x\n` },
  { title: "an empty word stays one", script: `set -- "" '' x; echo $#; a=; set -- $a "$a"; echo $#`, output: "3\n1\n" },
  { title: "variables split into fields unless quoted", script: `a=' x  y '; set -- $a; echo $# "$a"`, output: "2  x  y \n" },
  { title: "IFS with other separators", script: `IFS=:; a=x::y:; set -- $a; echo $# "$1" "$2" "$3"`, output: "3 x  y\n" },
  { title: "substitution of defaults", script: "unset a; echo ${a-1} ${a:-2}; a=; echo [${a-3}] ${a:-4} [${a:+5}]; : ${b:=6}; echo $b", output: "1 2\n[] 4 []\n6\n" },
  { title: "a missing parameter ends a script", script: "echo ${nothing:?is missing} 2>/dev/null; echo no", output: "", status: 2 },
  { title: "lengths, prefixes and suffixes", script: "p=/usr/local/a.tar.gz; echo ${#p} ${p##*/} ${p#*/} ${p%.*} ${p%%.*}", output: "19 a.tar.gz usr/local/a.tar.gz /usr/local/a.tar /usr/local/a\n" },
  { title: "quoted patterns match themselves", script: `a='*x'; echo "\${a#"*"}"; case 'a*' in "a*") echo yes;; esac`, output: "x\nyes\n" },
  { title: "positional parameters", script: `set -- a "b c" d; echo $# $2; for i in "$@"; do echo "<$i>"; done; echo "$*"; shift 2; echo $1 $#`, output: "3 b c\n<a>\n<b c>\n<d>\na b c d\nd 1\n" },
  { title: "\"$@\" without parameters is nothing", script: `set --; for i in "$@"; do echo x; done; echo end`, output: "end\n" },
  { title: "arithmetic", script: "x=5; echo $((x*2+1)) $((7/2)) $((7%4)) $((-3)) $((1<<4|1)) $((x>3&&x<9)) $((0x10)) $(( (2+3)*4 )) $((x==5?1:2))", output: "11 3 3 -3 17 1 16 20 1\n" },
  { title: "assignment in arithmetic", script: "i=1; : $((i+=4)); echo $i $((j=i*2)) $j", output: "5 10 10\n" },
  { title: "division by zero ends a script", script: "echo $((1/0)) 2>/dev/null; echo no", output: "", status: 2 },
  { title: "command substitution", script: "a=$(echo x; echo y); echo \"$a\"; echo `echo b\\`echo t\\``", output: "x\ny\nbt\n" },
  { title: "nested substitution with quotes and parentheses", script: `echo "$(echo "$(echo "a ) b")")" $(echo $(( (1+2) )) )`, output: "a ) b 3\n" },
  { title: "status of a substitution", script: "a=$(exit 3); echo $?; a=$(false) || echo failed", output: "3\nfailed\n" },
  { title: "&& and || from left to right", script: "true && echo a || echo b; false && echo c || echo d; true || echo e && echo f", output: "a\nd\nf\n" },
  { title: "! inverts", script: "! true; echo $?; ! false && echo y", output: "1\ny\n" },
  { title: "if, elif, else", script: "for i in 1 2 3; do if [ $i = 1 ]; then echo one; elif [ $i = 2 ]; then echo two; else echo more; fi; done", output: "one\ntwo\nmore\n" },
  { title: "while, until, break and continue", script: "i=0; while :; do i=$((i+1)); [ $i = 2 ] && continue; [ $i -gt 4 ] && break; echo $i; done; until [ $i = 0 ]; do i=$((i-1)); done; echo $i", output: "1\n3\n4\n0\n" },
  { title: "break out of two loops", script: "for i in 1 2; do for j in a b; do echo $i$j; break 2; done; done; echo end", output: "1a\nend\n" },
  { title: "case with patterns", script: "for f in x.c y.h z [q] Qr; do case $f in *.c|*.h) echo src;; [a-m]*|[!A-Z]) echo low;; '[q]') echo bracket;; *) echo other;; esac; done", output: "src\nsrc\nlow\nbracket\nother\n" },
  { title: "functions with parameters and return", script: "f() { echo $1 $#; return 4; }; set -- out; f a b; echo $? $1", output: "a 2\n4 out\n" },
  { title: "functions call themselves", script: "f() { [ $1 = 0 ] && return; echo $1; f $(($1-1)); }; f 3", output: "3\n2\n1\n" },
  { title: "subshells keep their variables", script: "a=1; (a=2; cd /; echo $a); echo $a", output: "2\n1\n" },
  { title: "groups share them", script: "a=1; { a=2; }; echo $a", output: "2\n" },
  { title: "pipelines", script: "printf_=x; for i in c a b; do echo $i; done | sort | cat -n; echo a | false; echo $?", output: "     1\ta\n     2\tb\n     3\tc\n1\n" },
  { title: "a loop reads a pipe", script: "{ echo 'a b c'; echo d; } | while read x y; do echo \"$y|$x\"; done", output: "b c|a\n|d\n" },
  { title: "redirections", script: "echo 1 >f; echo 2 >>f; cat <f; { echo 3; echo e >&2; } >g 2>&1; cat g; cat <f >h; wc -l <h", output: "1\n2\n3\ne\n       2\n" },
  { title: "redirections of loops and functions", script: "f() { echo in f; }; f >x; for i in 1 2; do echo $i; done >>x; cat x", output: "in f\n1\n2\n" },
  { title: "redirection by exec", script: "exec 3>f; echo hello >&3; exec 3>&-; cat f", output: "hello\n" },
  { title: "a redirection that fails stops the command", script: "echo x </no/such/file 2>/dev/null || echo failed", output: "failed\n" },
  { title: "here-documents", script: "a=v; cat <<E\n$a $((1+1)) \"q\" \\$a\nE\ncat <<'E'\n$a `x`\nE\ncat <<-E\n\t\ttabs\n\tE\n", output: "v 2 \"q\" $a\n$a `x`\ntabs\n" },
  { title: "two here-documents in a line", script: "cat <<A; cat <<B\na\nA\nb\nB\n", output: "a\nb\n" },
  { title: "globbing, sorted, quoted and without match", script: "mkdir d; : >d/b.c; : >d/a.c; : >d/.h; : >d/x; cd d; echo *.c ?; echo '*' \"*\" \\*; echo *.none .h*; cd ..; echo d/[ab]*", output: "a.c b.c x\n* * *\n*.none .h\nd/a.c d/b.c\n" },
  { title: "background commands and wait", script: "(exit 3) & p=$!; wait $p; echo $?; true & wait; echo $?", output: "3\n0\n" },
  { title: "a command that is not there", script: "nosuch 2>/dev/null; echo $?", output: "127\n" },
  { title: "death by a signal", script: "sh -c 'kill -9 $$' 2>/dev/null; echo $?", output: "137\n" },
  { title: "assignments for one command", script: "a=1; a=2 sh -c 'echo $a'; echo $a; export b=3; sh -c 'echo $b'", output: "2\n1\n3\n" },
  { title: "eval and quoting", script: "a='echo \"x  y\"'; eval $a; eval \"$a\"", output: "x y\nx  y\n" },
  { title: "trap EXIT", script: "trap 'echo bye $?' EXIT; echo hi; exit 5", output: "hi\nbye 5\n", status: 5 },
  { title: "trap of a signal", script: "trap 'echo got' TERM; kill -TERM $$; echo after", output: "got\nafter\n" },
  { title: "set -e ends at a failure, not in a condition", script: "set -e; if false; then :; fi; false || :; ! true; echo on; false; echo never", output: "on\n", status: 1 },
  { title: "dot reads a script", script: "echo 'v=7; return 2; v=8' >f; . ./f; echo $? $v", output: "2 7\n" },
  { title: "scripts without magic number run", script: "echo 'echo script $1; exit 6' >s; chmod +x s; ./s arg; echo $?", output: "script arg\n6\n" },
  { title: "comments and line continuation", script: "echo a # b\necho c\\\nd 'e#f'", output: "a\ncd e#f\n" },
  { title: "a syntax error", script: "if true; then echo x\n", output: "", status: 2 },
  { title: "test", script: "[ -z '' ] && [ -n x ] && [ a != b ] && [ 2 -lt 10 ] && [ ! -e nofile ] && [ -d . -a ! -f . ] && echo ok; [ x -eq 1 ] 2>/dev/null; echo $?", output: "ok\n2\n" },
  { title: "read keeps backslashes with -r", script: "echo 'a\\b c' >f; read x y <f; echo \"$x $y\"; read -r x y <f; echo \"$x $y\"", output: "ab c\na\\b c\n" },
  { title: "files: cp -R, mv, ln, rm -r, find, cmp", script: "mkdir -p a/b; echo x >a/b/f; cp -R a c; cmp a/b/f c/b/f && mv c/b/f c/g; ln -s g c/l; cat c/l; find c -type f; rm -r a c; ls", output: "x\nc/g\n" },
  { title: "texts: head, tail, wc, grep, sort", script: "for i in 3 1 2 10; do echo l$i; done >f; head -2 f; tail -1 f; grep -c 1 f; grep -v '^l1' f; sort f | head -1; sort -r f | tail -n +4; wc f", output: "l3\nl1\nl10\n2\nl3\nl2\nl1\nl1\n       4       4      13 f\n" },
  { title: "dd, truncate, cksum", script: "echo hello >f; dd if=f of=g bs=2 count=2 2>/dev/null; cat g; echo; truncate -s 3 f; cat f; echo; echo hello | cksum", output: "hell\nhel\n3015617425 6\n" },
  { title: "errors have a status and a text", script: "cat nofile 2>&1; echo $?; rm nofile 2>&1; mkdir . 2>&1; rmdir nofile 2>&1", output: "cat: nofile: No such file or directory\n1\nrm: nofile: No such file or directory\nmkdir: .: File exists\nrmdir: nofile: No such file or directory\n", status: 1 },
];
