# A scanner: takes one batch of files at a time, reviews them, and sends what it found to the
# reporter. A batch is acknowledged only when its result is on its way: a scanner that is killed gets
# the same batch again, and sends the same result under the same key.
set -eu
export LC_ALL=C

work=$HERONRY_STATE_DIR
here=$(pwd)
mkdir -p "$work/results"
tab='	'

# Writes the names of a batch that are text files, and a line for each that is not reviewed.
sort_out() {
    while IFS= read -r file; do
        if [ ! -r "$file" ]; then
            printf 'U\t%s\n' "$file" >> "$2"
        elif tr -d '\000' < "$file" | cmp -s - "$file"; then
            printf '%s\n' "$file"
        else
            printf 'B\t%s\n' "$file" >> "$2"
        fi
    done < "$1"
}

# Reviews the batch in file $1 and leaves the result in file $2, whole or not at all.
review() {
    new=$2.$HERONRY_RUN.$$.new
    : > "$new"
    (
        cd "$HERONRY_INPUT"
        sort_out "$1" "$new" > "$1.text"
        awk -f "$here/scan.awk" "$1.text" >> "$new"
    )
    mv "$new" "$2"
}

while :; do
    # 4: nobody sent anything for a long time; wait again. Anything else ends this process.
    code=0
    item=$(heronry inbox --wait 10m --claim-for 30m --field claim,message_id,content_ref) || code=$?
    [ "$code" -eq 4 ] && continue
    [ "$code" -eq 0 ] || exit "$code"

    IFS=$tab read -r claim message body <<ITEM
$item
ITEM
    # A batch that another scanner left behind comes as a further message, with a number behind a plus.
    batch=${message%%+*}
    result=$work/results/$batch
    if [ ! -e "$result" ]; then
        heronry body "$body" > "$work/$HERONRY_RUN.$$.batch"
        review "$work/$HERONRY_RUN.$$.batch" "$result"
    fi
    heronry send --to run:reporter --id "result-$batch" --key "result-$batch" \
        --correlation "batch=$batch" --file "$result" --quiet || [ $? -eq 3 ] # sent by another scanner
    heronry ack "$claim" --quiet
    echo "$batch: $(grep -c '^F' "$result" || true) files"
done
