# mfs-full: fills a memory file system until nothing fits, with one program after
# the other, and looks at what each says; what was written before must be whole,
# and when all is removed nothing may be missing. Twice.
#
# WAY, SIZE (sectors), BSIZE, FSIZE: the memory file system.

fail()
{
	echo "mfs-full: $*"
	exit 1
}

# Runs a command that finds no room: it must fail and say why.
finds_no_room()
{
	"$@" 2>/tmp/error && fail "'$*' succeeded on a full file system"
	grep 'No space left on device' /tmp/error || fail "'$*' does not say that there is no room: $(cat /tmp/error)"
}

append()
{
	cat /bin/sh >>"$1"
}

# Numbered files of no bytes, or folders, in folder $1 until one fails.
many_files()
{
	n=0
	while : >"$1/file$n"
	do
		n=$((n + 1))
	done
	return 1
}

many_folders()
{
	n=0
	while mkdir "$1/folder$n"
	do
		n=$((n + 1))
	done
	return 1
}

free_space()
{
	df /mnt | tail -1
}

mount_mfs -s "$SIZE" -b "$BSIZE" -f "$FSIZE" -o "$WAY" swap /mnt || exit 1
start=$(free_space)

for round in 1 2
do
	echo "mfs-full: round $round: blocks"
	mkdir /mnt/small /mnt/bin
	cp /bin/sh /mnt/bin/sh || fail "no room for the first file"
	cp /bin/ls /mnt/bin/ls || fail "no room for the second file"
	finds_no_room dd if=/dev/zero of=/mnt/zeros bs="$BSIZE"
	finds_no_room append /mnt/bin/ls
	finds_no_room cp /sbin/mount_mfs /mnt/bin/mount_mfs
	cp /bin/sh /tmp/sh
	finds_no_room mv /tmp/sh /mnt/bin/sh2
	cmp /tmp/sh /bin/sh || fail "mv lost its source"
	finds_no_room many_folders /mnt/bin

	echo "mfs-full: round $round: inodes"
	rm /mnt/zeros
	finds_no_room many_files /mnt/small
	finds_no_room ln -s /bin/sh /mnt/bin/link
	finds_no_room touch /mnt/touched
	ln /mnt/bin/sh /mnt/bin/other || fail "no other name for a file"

	# What there was before is whole.
	sync
	cmp /mnt/bin/sh /bin/sh || fail "the first file has changed"
	dd if=/mnt/bin/ls of=/tmp/ls bs=$(($(wc -c </bin/ls))) count=1 2>/dev/null
	cmp /tmp/ls /bin/ls || fail "the second file has changed"

	if [ $round -eq 1 ]
	then
		rm -r /mnt/* || fail "cannot remove"
		end=$(free_space)
		[ "$start" = "$end" ] || fail "not all is free again: '$start' became '$end'"
	fi
done

umount /mnt || exit 1
echo "mfs-full: done"
