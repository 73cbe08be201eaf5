# Writes report.md.

function cell(text) {
    gsub(/\|/, "\\|", text)
    gsub(/`/, "'", text)
    return text
}

END {
    print "# Review\n"
    printf "%d files, %d lines. Not reviewed: %d binary, %d unreadable, %d with names that no list can hold.\n", \
        files, lines, binary, unreadable, planned["skipped_names"]

    print "\n## Languages\n\n| language | files | lines |\n|---|---|---|"
    count = sort_languages()
    for (i = 1; i <= count; i++)
        printf "| %s | %d | %d |\n", order[i], language_files[order[i]], language_lines[order[i]]

    print "\n## Longest files\n\n| file | lines |\n|---|---|"
    count = find_longest()
    for (i = 1; i <= count; i++)
        printf "| `%s` | %d |\n", cell(file_path[longest[i]]), file_lines[longest[i]]

    printf "\n## Notes (%d)\n\n", notes
    for (i = 1; i <= notes; i++)
        printf "- `%s:%d` %s\n", cell(note_path[i]), note_line[i], cell(note_text[i])

    printf "\n## Likely secrets (%d)\n\n", secrets
    for (i = 1; i <= secrets; i++)
        printf "- `%s:%d` %s\n", cell(secret_path[i]), secret_line[i], secret_rule[i]
}
