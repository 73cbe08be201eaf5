# The lead: splits the files of the input among the scanners, tells the reporter how many batches
# there are, and sleeps until the reporter is done.
#
# Everything that is sent has a fixed key. A lead that was killed and is started again sends the same
# messages again, and the pool answers with the original receipts.
set -eu
export LC_ALL=C

scanners=3
batch_files=${REVIEW_BATCH_FILES:-40}
work=$HERONRY_STATE_DIR
here=$(pwd)

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

number=0
for batch in "$work"/plan/batch-*; do
    [ -e "$batch" ] || break
    name=$(basename "$batch")
    scanner=scanner-$((number % scanners + 1))
    heronry send --to "run:$scanner" --id "$name" --key "$name" --correlation "batch=$name" \
        --file "$batch" --quiet
    number=$((number + 1))
done
echo "all batches are sent; waiting for the reporter"

# Nothing polls: the pool wakes the lead. A scanner that failed for good would leave the reporter
# waiting for ever, so the lead then tells it to give up.
end=$(heronry wait --since start \
    '(kind == "run_completed" && run == "reporter") || kind == "run_failed"' \
    --field matches.0.kind)
if [ "$end" != run_completed ]; then
    heronry send --to run:reporter --id give-up --key give-up --body '' --quiet || true
    echo "a member failed for good; the review is not complete" >&2
    exit 1
fi
echo "the reporter is done: $HERONRY_OUTPUT/report.md"
