# mfs-cycle: mounts a memory file system, copies the tree on /src into it and
# compares every byte; renames, truncates and removes files and compares with
# what must be there then; syncs and unmounts. MOUNTS times.
#
# Of every ten files one is renamed to .rN, N its number in the walk, one is
# truncated to half, one is removed. find gives the files to calls of this script
# (`change` and `check`), for their names may have any byte.
#
# WAY, SIZE (sectors), BSIZE, FSIZE: the memory file system. SAVE: a disk that
# gets a copy of it before the unmount.

fail()
{
	echo "mfs-cycle: $*"
	exit 1
}

# Changes the copies of the files given.
change()
{
	read -r number renamed truncated shortened removed </tmp/changes
	for file
	do
		copy=/mnt/${file#/src/}
		case $((number % 10)) in
		2)
			mv "$copy" "${copy%/*}/.r$number" || fail "cannot rename $copy"
			renamed=$((renamed + 1)) ;;
		5)
			size=$(($(wc -c <"$copy")))
			truncate -s $((size / 2)) "$copy" || fail "cannot truncate $copy"
			echo $((size / 2)) >>/tmp/halves
			truncated=$((truncated + 1))
			[ $size -eq 0 ] || shortened=$((shortened + 1)) ;;
		8)
			rm "$copy" || fail "cannot remove $copy"
			removed=$((removed + 1)) ;;
		esac
		number=$((number + 1))
	done
	echo $number $renamed $truncated $shortened $removed >/tmp/changes
}

# Counts the changed copies of the files given that are not what they should be.
check()
{
	read -r number differ </tmp/checks
	for file
	do
		copy=/mnt/${file#/src/}
		case $((number % 10)) in
		2)	[ ! -e "$copy" ] && cmp -s "$file" "${copy%/*}/.r$number" ;;
		5)	read -r half && head -c $half "$file" | cmp -s - "$copy" ;;
		8)	[ ! -e "$copy" ] ;;
		esac || differ=$((differ + 1))
		number=$((number + 1))
	done
	echo $number $differ >/tmp/checks
}

# Sets files, folders and links to their numbers on the memory file system.
count()
{
	files=0 folders=-1 links=0
	for batch in $(find /mnt -type f -exec sh -c 'echo f$#' sh {} + \
		-o -type d -exec sh -c 'echo d$#' sh {} + -o -type l -exec sh -c 'echo l$#' sh {} +)
	do
		case $batch in
		f*) files=$((files + ${batch#f})) ;;
		d*) folders=$((folders + ${batch#d})) ;;
		l*) links=$((links + ${batch#l})) ;;
		esac
	done
}

copy()
{
	cp -R /src/. /mnt || fail "cannot copy"
	count
	set -- $(find /mnt -type f -exec cat {} + | cksum)
	checksum=$1 bytes=$2
	all_files=$((all_files + files)) all_bytes=$((all_bytes + bytes))
	echo "mfs-cycle: copied $files files, $folders directories, $links links, $bytes bytes"
	diff -rq /src /mnt >/tmp/differences
	differ=$(($(wc -l </tmp/differences)))
	echo "mfs-cycle: verified: $files files, $links links, $bytes bytes, $differ differ, checksum $checksum"
	[ $differ -eq 0 ] || fail "the copy differs: $(head -n 1 /tmp/differences)"
}

change_files()
{
	echo 0 0 0 0 0 >/tmp/changes
	: >/tmp/halves
	find /src -type f -exec sh /etc/workload change {} + || fail "the changes failed"
	read -r number renamed truncated shortened removed </tmp/changes
	echo "mfs-cycle: renamed $renamed, truncated $truncated, removed $removed of $number files"
}

# What has been changed is right, all else is as it was, and there is no more.
check_files()
{
	echo 0 0 >/tmp/checks
	find /src -type f -exec sh /etc/workload check {} + </tmp/halves || fail "the check failed"
	read -r number differ </tmp/checks
	diff -rq /src /mnt >/tmp/differences
	[ $(grep -c '^Only in /' /tmp/differences) -eq $((2 * renamed + removed)) ] || differ=$((differ + 1))
	[ $(grep -c '^Files /' /tmp/differences) -eq $shortened ] || differ=$((differ + 1))
	expected=$((files - removed))
	count
	[ $files -eq $expected ] || differ=$((differ + 1))
	bytes=$(($(find /mnt -type f -exec cat {} + | wc -c)))
	echo "mfs-cycle: after the changes: $files files, $links links, $bytes bytes, $differ differ"
	[ $differ -eq 0 ] || fail "the changes are wrong"
}

save()
{
	dd if=/dev/rmfs0 of=$SAVE bs=64k 2>/tmp/dd || fail "cannot save: $(cat /tmp/dd)"
}

case $1 in
change | check)
	"$@"
	exit ;;
esac

all_files=0 all_bytes=0 mount=0
while [ $mount -lt $MOUNTS ]
do
	mount=$((mount + 1))
	[ $MOUNTS -eq 1 ] || echo "mfs-cycle: mount $mount of $MOUNTS"
	mount_mfs -s $SIZE -b $BSIZE -f $FSIZE -o $WAY swap /mnt || fail "cannot mount"
	copy
	change_files
	check_files
	sync
	[ -z "$SAVE" ] || save
	umount /mnt || fail "cannot unmount"
done
echo "summary: files $all_files"
echo "summary: bytes $all_bytes"
echo "summary: mounts $mount"
