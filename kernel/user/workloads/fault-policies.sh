# fault-policies: what the pager of a page is told of faults, and what is mapped,
# under each fault policy: once when the program reads and writes the page, once when
# the kernel does it in system calls. Both must give the same table.

policy >/tmp/table || exit 1
policy -k >/tmp/kernel || exit 1
cat /tmp/table
cmp /tmp/table /tmp/kernel
