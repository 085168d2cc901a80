# pager: a file larger than memory, written, changed and read as memory in three orders; then again by read(2),
# and after the file system was unmounted. On an FFS on a disk, and, as large as fits, on a memory file system.
#
# DISK: the disk. PAGES: pages of the file on it. MFS_PAGES: of the one in memory. WAY, SIZE, BSIZE, FSIZE: the
# memory file system.

fail()
{
	echo "pager: $*"
	exit 1
}

pageins()
{
	sysctl -n vm.uvmexp.pageins
}

# Writes file $1 of $2 pages and looks at it in all orders.
orders()
{
	pager write $1 $2 forward 1 || fail "write"
	pager check $1 forward 1 || fail "reading forward"
	pager check $1 backward 1 || fail "reading backward"
	pager check $1 random 1 || fail "reading at random"
	pager read $1 forward 1 || fail "read(2)"
	pager private $1 random 1 || fail "a private mapping"
	pager update $1 random 2 || fail "writing at random"
	pager read $1 backward 2 || fail "read(2) of what was written at random"
	pager update $1 backward 3 || fail "writing backward"
	pager check $1 forward 3 || fail "reading what was written backward"
	sync
}

newfs $DISK || fail "no file system on $DISK"
mount /dev/wd0a /mnt || exit 1
start=$(pageins)
orders /mnt/file $PAGES
[ $(pageins) -gt $((start + PAGES)) ] || fail "the file cannot have been larger than memory"
umount /mnt || fail "cannot unmount the disk"
mount /dev/wd0a /mnt || fail "cannot mount the disk again"
pager read /mnt/file forward 3 || fail "the file on the disk"
pager check /mnt/file random 3 || fail "the file on the disk"
umount /mnt || fail "cannot unmount the disk"
echo "pager: ffs: ok"

mount_mfs -s $SIZE -b $BSIZE -f $FSIZE -o $WAY swap /mnt || exit 1
orders /mnt/file $MFS_PAGES
umount /mnt || fail "cannot unmount the memory file system"
echo "pager: mfs: ok"
