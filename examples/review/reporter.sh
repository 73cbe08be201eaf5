# The reporter: collects the result of each batch, and when all are there, merges them into report.md
# and report.json. A result is acknowledged only when it is on disk under the name of its batch, so a
# result that comes twice is one file.
set -eu
export LC_ALL=C

work=$HERONRY_STATE_DIR
here=$(pwd)
received=$work/received
mkdir -p "$received"
tab='	'

value() {
    awk -v name="$1" '$1 == name { print $2 }' "$received/plan"
}

have_all() {
    [ -e "$received/plan" ] || return 1
    [ "$(find "$received" -name 'result-batch-*' ! -name '*.new' | wc -l)" -ge "$(value batches)" ]
}

# Takes one message: keeps its body under the name of the message, then acknowledges it.
take() {
    if [ "$2" = give-up ]; then
        heronry ack "$1" --quiet
        echo "told to give up" >&2
        exit 1
    fi
    heronry body "$3" > "$received/$2.$$.new"
    mv "$received/$2.$$.new" "$received/$2"
    heronry ack "$1" --quiet
}

while ! have_all; do
    code=0
    items=$(heronry inbox --wait 10m --max 20 --claim-for 30m --field claim,message_id,content_ref) || code=$?
    [ "$code" -eq 4 ] && continue
    [ "$code" -eq 0 ] || exit "$code"
    while IFS=$tab read -r claim message body; do
        take "$claim" "$message" "$body"
    done <<ITEMS
$items
ITEMS
done

# The reports are made from the files, whole or not at all.
merged=$work/merged
find "$received" -name 'result-batch-*' ! -name '*.new' | sort | while IFS= read -r result; do
    cat "$result"
done > "$merged"
for format in md json; do
    new=$HERONRY_OUTPUT/.report.$format.new
    awk -v plan="$received/plan" -f "$here/report.awk" -f "$here/report-$format.awk" "$merged" > "$new"
    mv "$new" "$HERONRY_OUTPUT/report.$format"
done
echo "report.md and report.json are written: $(grep -c '^F' "$merged" || true) files"
