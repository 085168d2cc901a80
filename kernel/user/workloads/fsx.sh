# fsx: random reads, writes, truncations and mappings of files, compared with what
# they should hold: one file alone, one of many small operations, one behind a hole
# of three gigabytes, then three processes in windows of one file and one in
# another at once, with two that do nothing but sync.
#
# OPS: operations of the first; SEED. The file system: /etc/workload.subr.

. /etc/workload.subr
begin_work
fsx -N "$OPS" -S "$SEED" $DIR/file || exit 1
fsx -N "$OPS" -S "$SEED" -l 20k -o 5k $DIR/small || exit 1
fsx -N $((OPS / 4)) -S "$SEED" -B 3g -l 100k $DIR/hole || exit 1
rm $DIR/small $DIR/hole

syncs()
{
	for time in 1 2 3 4 5 6 7 8 9 10
	do
		sync
	done
}

echo "fsx: four processes"
syncs &
syncs &
pids=
for window in 0 100k 200k
do
	fsx -q -n -N $((OPS / 4)) -S "$SEED" -l 100k -o 30k -B $window $DIR/windows &
	pids="$pids $!"
done
fsx -q -N $((OPS / 4)) -S "$SEED" -l 200k -o 30k $DIR/file &
pids="$pids $!"
for pid in $pids
do
	wait $pid || exit 1
done
wait
rm $DIR/file $DIR/windows
end_work
