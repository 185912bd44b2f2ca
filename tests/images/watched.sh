# A build that says what it is doing. Apart from common.sh, which is part of every image's name. Sourced by `build`.

heartbeat_seconds=15

# watched NAME: builds it as `build` does, and says what it will take, how far it is, and how long it took.
watched() {
    local name=$1 started=$SECONDS log=$cache/$1.log
    [ ! -d "$(dirname "$(layout_of "$name")")" ] || return 0
    case $name in
        base) echo "first the base of all images: debootstrap fetches and unpacks some 90 packages (from 40 s to many minutes)" >&2 ;;
        *) echo "then $name: its packages are installed and packed into layers (from 30 s to some minutes)" >&2 ;;
    esac
    heartbeat "$name" "$log" "$BASHPID" 9>&- & local watcher=$!
    trap "kill $watcher 2>/dev/null || true" EXIT # However it ends, `die` included.
    build "$name"
    kill "$watcher" 2>/dev/null || true
    trap - EXIT
    echo "$name is built, after $((SECONDS - started)) s" >&2
}

# Sleeps without the output: who waits for its end shall not wait for the sleep.
heartbeat() {
    local name=$1 log=$2 builder=$3 started=$SECONDS
    while sleep "$heartbeat_seconds" >/dev/null 2>&1 && kill -0 "$builder" 2>/dev/null; do
        echo "  ... $name, $((SECONDS - started)) s: $(last_line "$log")" >&2
    done
}

last_line() { tail -c 4096 "$1" 2>/dev/null | tr '\r' '\n' | grep -v '^[[:space:]]*$' | tail -n 1 | cut -c1-100 || true; }
