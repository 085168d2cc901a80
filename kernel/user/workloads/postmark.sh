# postmark: the work of a mail server: small files come, grow, are read and go.
#
# OPS: transactions; SEED. The file system: /etc/workload.subr.

. /etc/workload.subr
begin_work
postmark -n $((OPS / 2)) -t "$OPS" -s "$SEED" -d 5 $DIR || exit 1
end_work
