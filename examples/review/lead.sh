# The lead: splits the files of the input among the scanners, tells the reporter how many batches
# there are, and sleeps until the reporter is done. When a scanner leaves, because the manifest asks for
# fewer, its batches go to those that are there.
#
# Everything that is sent has a fixed key. A lead that was killed and is started again sends the same
# messages again, and the pool answers with the original receipts.
set -eu
export LC_ALL=C

batch_files=${REVIEW_BATCH_FILES:-40}
work=$HERONRY_STATE_DIR
here=$(pwd)
tab='	'

# The plan is made once: a tree that changes between two starts must not change the batches.
if [ ! -d "$work/plan" ]; then
    rm -rf "$work/plan.new"
    mkdir "$work/plan.new"
    sh "$here/list.sh" "$work/plan.new"
    awk -v size="$batch_files" -v folder="$work/plan.new" '
        { file = sprintf("%s/batch-%05d", folder, int((NR - 1) / size) + 1)
          if (file != last) { if (last != "") close(last); last = file }
          print > file }
    ' "$work/plan.new/files"
    {
        echo "batches $(find "$work/plan.new" -name 'batch-*' | wc -l)"
        echo "files $(wc -l < "$work/plan.new/files")"
        cat "$work/plan.new/skipped"
    } | awk '{ print $1, $2 }' > "$work/plan.new/plan"
    mv "$work/plan.new" "$work/plan"
fi

heronry send --to run:reporter --id plan --key plan --file "$work/plan/plan" --quiet
echo "$(awk '$1 == "files" { print $2 }' "$work/plan/plan") files in $(awk '$1 == "batches" { print $2 }' "$work/plan/plan") batches"

mkdir -p "$work/given"

# Sends batch $1 as message $2 to a scanner that is there. The choice is written down before, so that
# the same message goes to the same scanner when it is sent again.
give() {
    if [ ! -e "$work/given/$2" ]; then
        heronry members --field run_id,agent_id | awk -v number="$number" '
            $2 == "scanner" { runs[count++] = $1 }
            END { if (count) print runs[number % count] }
        ' > "$work/given/$2.new"
        mv "$work/given/$2.new" "$work/given/$2"
    fi
    # 3: it left in between; the next look at what became of the batches finds that.
    heronry send --to "run:$(cat "$work/given/$2")" --id "$2" --key "$2" --correlation "batch=$1" \
        --file "$work/plan/$1" --quiet || [ $? -eq 3 ]
}

# Gives every batch that nobody can get any more to another scanner, as a further message.
give_again() {
    number=0
    for batch in "$work"/plan/batch-*; do
        [ -e "$batch" ] || break
        name=$(basename "$batch")
        message=$name
        again=1
        while [ -e "$work/given/$name+$again" ]; do
            message=$name+$again
            again=$((again + 1))
        done
        case $(heronry receipt "$message" --field status,recipients.0.state) in
            failed*|*undeliverable*) give "$name" "$name+$again" ;;
        esac
        number=$((number + 1))
    done
}

number=0
for batch in "$work"/plan/batch-*; do
    [ -e "$batch" ] || break
    name=$(basename "$batch")
    give "$name" "$name"
    number=$((number + 1))
done
echo "all batches are sent; waiting for the reporter"

# Nothing polls: the pool wakes the lead. A scanner that failed for good would leave the reporter
# waiting for ever, so the lead then tells it to give up.
end=agent_pool_run_left
while [ "$end" = agent_pool_run_left ]; do
    since=start
    [ ! -e "$work/since" ] || since=$(cat "$work/since")
    found=$(heronry wait --since "$since" \
        '(kind == "run_completed" && run == "reporter") || kind == "run_failed" ||
         (kind == "agent_pool_run_left" && agent == "scanner")' \
        --field matches.0.kind,matches.0.cursor)
    IFS=$tab read -r end cursor <<FOUND
$found
FOUND
    if [ "$end" = agent_pool_run_left ]; then
        give_again
        echo "$cursor" > "$work/since.new"
        mv "$work/since.new" "$work/since"
    fi
done
if [ "$end" != run_completed ]; then
    heronry send --to run:reporter --id give-up --key give-up --body '' --quiet || true
    echo "a member failed for good; the review is not complete" >&2
    exit 1
fi
echo "the reporter is done: $HERONRY_OUTPUT/report.md"
