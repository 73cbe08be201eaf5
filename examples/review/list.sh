# Lists the files to review: one name on each line of FOLDER/files, and in FOLDER/skipped how many
# were left out for their names.
#
# Left out without a word: .git and target folders, the data directory, and the reports themselves.
# Left out and counted: names that do not fit on a line of a list (control characters, not UTF-8).
set -eu
export LC_ALL=C
folder=$1
line_end='
'

cd "$HERONRY_INPUT"
input=$(pwd -P)

# A folder given in full as a path below the input, or nothing.
below() {
    case $1/ in
        "$input"/*) rest=${1#"$input"}; printf '%s\n' "${rest#/}" ;;
    esac
}

# A folder that cannot be read is named in the log, and the rest is reviewed.
files() {
    find . \( -name .git -o -name target \) -type d -prune -o "$@"
}

files -type f -path "*$line_end*" -exec sh -c 'for name; do echo x; done' sh {} + \
    > "$folder/odd" || true
files -type f ! -path "*$line_end*" -print \
    | awk -v data="$(below "${HERONRY_STATE_DIR%/members/*}")" -v output="$(below "$HERONRY_OUTPUT")" \
        -v list="$folder/unsorted" -v odd="$folder/odd" '
    BEGIN {
        if (output != "") output = output "/"
        two = "[\302-\337][\200-\277]"
        three = "[\340-\357][\200-\277][\200-\277]"
        four = "[\360-\364][\200-\277][\200-\277][\200-\277]"
        utf8 = "^([\040-\176]|" two "|" three "|" four ")*$"
    }
    { path = substr($0, 3) }
    data != "" && index(path, data "/") == 1 { next }
    path == output "report.md" || path == output "report.json" { next }
    $0 !~ utf8 { print "x" >> odd; next }
    { print > list }
'
touch "$folder/unsorted"
sort "$folder/unsorted" > "$folder/files"
echo "skipped_names $(wc -l < "$folder/odd")" > "$folder/skipped"
