# shortage: what happens to programs when memory runs out, case by case (docs/shortage.md). After each case
# all memory must be back and the kernel's structures whole.
#
# CASES: the cases to run. DISK: a disk for a file system on /mnt. FILE: where on it the file of the cases is made.

newfs $DISK && mount /dev/wd0a /mnt && cd /mnt || exit 1
wired=$(sysctl -n debug.inuse.wired_pages)
anons=$(sysctl -n debug.inuse.anons)
# A shell and a pipe more or less are no leak; a case has hundreds of pages.
anons=$((anons + 40))

is_whole()
{
	[ $(sysctl -n debug.check) -eq 0 ] && [ $(sysctl -n debug.inuse.wired_pages) -le $wired ] &&
		[ $(sysctl -n debug.inuse.anons) -le $anons ]
}

failed=0
for case in $CASES
do
	if ! shortage $case $FILE
	then
		echo "shortage: $case: FAILED"
		failed=1
	elif ! is_whole
	then
		echo "shortage: $case: something is lost"
		sysctl debug.inuse
		failed=1
	else
		echo "shortage: $case: ok"
	fi
done
cd / && umount /mnt || exit 1
exit $failed
