# Reads the merged lines of all results; what the two reports have in common.

BEGIN {
    FS = "\t"
    while ((getline line < plan) > 0) {
        split(line, pair, " ")
        planned[pair[1]] = pair[2]
    }
}

function shown(path) { return substr(path, 3) }

$1 == "F" {
    files++
    lines += $3
    language_files[$2]++
    language_lines[$2] += $3
    file_path[files] = shown($4)
    file_language[files] = $2
    file_lines[files] = $3
}
$1 == "N" { notes++; note_line[notes] = $2; note_word[notes] = $3; note_path[notes] = shown($4); note_text[notes] = $5 }
$1 == "S" { secrets++; secret_line[secrets] = $2; secret_rule[secrets] = $3; secret_path[secrets] = shown($4) }
$1 == "B" { binary++ }
$1 == "U" { unreadable++ }

# Puts the ten longest files into longest[1..], the longest first, and returns how many there are.
function find_longest(    place, file, best, taken) {
    for (place = 1; place <= 10 && place <= files; place++) {
        best = 0
        for (file = 1; file <= files; file++)
            if (!(file in taken) && (best == 0 || file_lines[file] > file_lines[best])) best = file
        taken[best] = 1
        longest[place] = best
    }
    return place - 1
}

# Sorts the names of languages by lines, the most first, into order[1..].
function sort_languages(    name, place, count) {
    count = 0
    for (name in language_files) {
        for (place = ++count; place > 1 && before(name, order[place - 1]); place--)
            order[place] = order[place - 1]
        order[place] = name
    }
    return count
}

function before(left, right) {
    if (language_lines[left] != language_lines[right])
        return language_lines[left] > language_lines[right]
    return left < right
}
