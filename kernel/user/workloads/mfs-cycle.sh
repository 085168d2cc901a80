# mfs-cycle: mounts a memory file system, copies the tree on /src into it and
# compares every byte; renames, truncates and removes files and compares with
# what must be there then; syncs and unmounts. MOUNTS times.
#
# Of every five files in the order of the walk the second is renamed to .rN, N its
# number, the third is truncated to half, the fourth removed; the others stay.
#
# WAY, SIZE (sectors), BSIZE, FSIZE: the memory file system. SAVE: a disk that
# gets a copy of it before the unmount.

fail()
{
	echo "mfs-cycle: $*"
	exit 1
}

# Calls $2 with the path of each file, and $3 with that of each symbolic link,
# below the folder $1. Names may have any byte.
walk()
{
	for entry in "$1"/* "$1"/.[!.]* "$1"/..?*
	do
		if [ -h "$entry" ]; then $3 "$entry"
		elif [ -f "$entry" ]; then $2 "$entry"
		elif [ -d "$entry" ]
		then
			folders=$((folders + 1))
			walk "$entry" $2 $3
		fi
	done
}

count_file()
{
	files=$((files + 1))
}

count_link()
{
	links=$((links + 1))
}

# Counts what is below the folder $1: files, folders, links, and bytes of files.
count()
{
	files=0 folders=0 links=0
	walk "$1" count_file count_link
	bytes=$(($(find "$1" -type f -exec cat {} + | wc -c)))
}

# One line for each file and link below the folder $1: checksum, length and name;
# target and name.
checksums()
{
	(
		cd "$1" || exit 1
		find . -type f -exec cksum {} +
		find . -type l -exec readlink {} \; -print
	)
}

# How many lines of two lists differ.
differences()
{
	cmp -s "$1" "$2" && echo 0 && return
	differ=0
	while read -r one <&3
	do
		read -r other <&4 && [ "$one" = "$other" ] && continue
		differ=$((differ + 1))
	done 3<"$1" 4<"$2"
	echo $differ
}

change_file()
{
	copy=/mnt${1#/src}
	case $((number % 5)) in
	1)
		mv "$copy" "${copy%/*}/.r$number" || fail "cannot rename $copy"
		renamed=$((renamed + 1)) ;;
	2)
		half=$(($(wc -c <"$copy") / 2))
		truncate -s $half "$copy" || fail "cannot truncate $copy"
		halves="$halves $half"
		truncated=$((truncated + 1)) ;;
	3)
		rm "$copy" || fail "cannot remove $copy"
		removed=$((removed + 1)) ;;
	esac
	number=$((number + 1))
}

# Is the copy of a file what the change has made of it?
compare_file()
{
	copy=/mnt${1#/src}
	case $((number % 5)) in
	1)	[ ! -e "$copy" ] && cmp -s "$1" "${copy%/*}/.r$number" ;;
	2)
		half=${halves%% *} halves=${halves#* }
		head -c $half "$1" | cmp -s - "$copy" ;;
	3)	[ ! -e "$copy" ] ;;
	*)	cmp -s "$1" "$copy" ;;
	esac || differ=$((differ + 1))
	number=$((number + 1))
}

compare_link()
{
	[ "$(readlink "$1")" = "$(readlink "/mnt${1#/src}")" ] || differ=$((differ + 1))
}

change()
{
	number=0 renamed=0 truncated=0 removed=0 halves=
	walk /src change_file :
	halves=${halves# }
	echo "mfs-cycle: renamed $renamed, truncated $truncated, removed $removed of $number files"
}

compare()
{
	number=0 differ=0
	walk /src compare_file compare_link
}

copy()
{
	cp -R /src/. /mnt || fail "cannot copy"
	count /mnt
	all_files=$((all_files + files)) all_bytes=$((all_bytes + bytes))
	echo "mfs-cycle: copied $files files, $folders directories, $links links, $bytes bytes"
}

verify()
{
	checksums /src >/tmp/source
	checksums /mnt >/tmp/copy
	differ=$(differences /tmp/source /tmp/copy)
	set -- $(cksum </tmp/copy)
	echo "mfs-cycle: verified: $files files, $links links, $bytes bytes, $differ differ, checksum $1"
	[ $differ = 0 ] || fail "the copy is wrong"
}

verify_changes()
{
	compare
	expected=$((files - removed))
	count /mnt
	[ $files = $expected ] || differ=$((differ + 1))
	echo "mfs-cycle: after the changes: $files files, $links links, $bytes bytes, $differ differ"
	[ $differ = 0 ] || fail "the changes are wrong"
}

all_files=0 all_bytes=0 mount=0
while [ $mount -lt $MOUNTS ]
do
	mount=$((mount + 1))
	[ $MOUNTS = 1 ] || echo "mfs-cycle: mount $mount of $MOUNTS"
	mount_mfs -s $SIZE -b $BSIZE -f $FSIZE -o $WAY swap /mnt || fail "cannot mount"
	copy
	verify
	change
	verify_changes
	sync
	if [ -n "$SAVE" ]
	then
		dd if=/dev/rmfs0 of=$SAVE bs=64k count=$((SIZE / 128)) || fail "cannot save"
	fi
	umount /mnt || fail "cannot unmount"
done
echo "summary: files $all_files"
echo "summary: bytes $all_bytes"
echo "summary: mounts $mount"
