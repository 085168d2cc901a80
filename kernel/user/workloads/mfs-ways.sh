# mfs-ways: the same requests of 8 KB to a memory file system of each way, one after
# the other. Each row: a fresh file system with a file on it, then scatter(1) on its raw
# device. The rows md (a disk that is mapped all the time) and bound (copies of the
# kernel without any I/O) are what the ways are compared with.
#
# ROWS: which; REQUESTS: measured ones; SIZE (sectors), BSIZE, FSIZE: the file systems.

fail()
{
	echo "mfs-ways: $*" >&2
	exit 1
}

free_pages()
{
	sysctl -n vm.uvmexp.free
}

# A row: $1 its name, $2 the way.
row()
{
	before=$(free_pages)
	mount_mfs -s "$SIZE" -b "$BSIZE" -f "$FSIZE" -o "$2" swap /mnt || fail "cannot mount"
	cp /tmp/data /mnt/data || fail "cannot copy"
	sync
	figures=$(scatter -l "$1" -n "$REQUESTS" /dev/rmfs0) || fail "the requests failed"
	echo "ways: $figures pages $((before - $(free_pages)))"
	umount /mnt || fail "cannot unmount"
}

one_row()
{
	case $1 in
	burge)	row burge burge,repair=end:ref:unwire:offset;;
	md)	figures=$(scatter -l md -n "$REQUESTS" -s 512k /dev/rmd0d) || fail "the requests failed"
		echo "ways: $figures pages 0";;
	bound)	sysctl -w debug.mark=bound >/dev/null
		sysctl -w debug.copies="$REQUESTS" >/dev/null || fail "no copies"
		sysctl -w debug.mark= >/dev/null
		echo "ways: bound requests $REQUESTS switches 0 faults 0 entries 0 pages 0";;
	*)	row "$1" "$1";;
	esac
}

# What programs and files hold in memory, they hold from now on.
cat /bin/* /bin/* >/tmp/all
dd if=/tmp/all of=/tmp/data bs=8k count=$((FILL / 8)) 2>/dev/null
rm /tmp/all
sync
one_row aobj >/tmp/first || fail "$(cat /tmp/first)"

for name in $ROWS
do
	one_row "$name"
done
