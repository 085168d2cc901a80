# fork-cow: families of processes that share and copy memory of every kind.
#
# OPS: operations between forks; SEED: of the first of four families. The files are
# on the file system of /etc/workload.subr. A family fits into memory: there is no
# swap.

. /etc/workload.subr
begin_work
pages=6
[ $(sysctl -n hw.physmem) -ge 12000000 ] || pages=2
cd $DIR
for family in 0 1 2 3
do
	forkcow -p $pages -n "$OPS" -s $((SEED + family)) || exit 1
done
cd /
end_work
