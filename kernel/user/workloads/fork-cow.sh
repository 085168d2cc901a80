# fork-cow: families of processes that share and copy memory of every kind.
#
# OPS: operations between forks; SEED: of the first of four families. The files are
# on the file system of /etc/workload.subr.

. /etc/workload.subr
begin_work
cd $DIR
for family in 0 1 2 3
do
	forkcow -n "$OPS" -s $((SEED + family)) || exit 1
done
cd /
end_work
