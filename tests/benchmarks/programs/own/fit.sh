# What a user has: a command. It knows of no tool; what it leaves is for the benchmark alone.
set -e
while [ $# -gt 0 ]; do
    case $1 in
        --lr) lr=$2 ;;
        --seed) seed=$2 ;;
        --seconds) seconds=$2 ;;
    esac
    shift 2
done
[ "$seconds" = 0 ] || sleep "$seconds"
: > "$BENCH_RECORDS/$lr+$seed+$$"
echo '{"accuracy": 0.9}'
