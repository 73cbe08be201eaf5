# Writes report.json.

# Backslashes in a replacement mean different things to different awks: this one uses none.
function text_of(text,    escaped, i, c) {
    if (text !~ /["\\]/) return "\"" text "\""
    for (i = 1; i <= length(text); i++) {
        c = substr(text, i, 1)
        escaped = escaped (c == "\"" || c == "\\" ? "\\" c : c)
    }
    return "\"" escaped "\""
}

function comma(i, count) { return i < count ? "," : "" }

END {
    print "{"
    printf "  \"files\": %d,\n  \"lines\": %d,\n  \"batches\": %d,\n", files, lines, planned["batches"]
    printf "  \"skipped\": {\"binary\": %d, \"unreadable\": %d, \"names\": %d},\n", \
        binary, unreadable, planned["skipped_names"]

    print "  \"languages\": ["
    count = sort_languages()
    for (i = 1; i <= count; i++)
        printf "    {\"language\": %s, \"files\": %d, \"lines\": %d}%s\n", text_of(order[i]), \
            language_files[order[i]], language_lines[order[i]], comma(i, count)

    print "  ],\n  \"longest_files\": ["
    count = find_longest()
    for (i = 1; i <= count; i++)
        printf "    {\"path\": %s, \"lines\": %d}%s\n", text_of(file_path[longest[i]]), \
            file_lines[longest[i]], comma(i, count)

    print "  ],\n  \"notes\": ["
    for (i = 1; i <= notes; i++)
        printf "    {\"path\": %s, \"line\": %d, \"kind\": %s, \"text\": %s}%s\n", text_of(note_path[i]), \
            note_line[i], text_of(note_word[i]), text_of(note_text[i]), comma(i, notes)

    print "  ],\n  \"secrets\": ["
    for (i = 1; i <= secrets; i++)
        printf "    {\"path\": %s, \"line\": %d, \"rule\": %s}%s\n", text_of(secret_path[i]), \
            secret_line[i], text_of(secret_rule[i]), comma(i, secrets)

    print "  ],\n  \"reviewed\": ["
    for (i = 1; i <= files; i++)
        printf "    {\"path\": %s, \"language\": %s, \"lines\": %d}%s\n", text_of(file_path[i]), \
            text_of(file_language[i]), file_lines[i], comma(i, files)
    print "  ]\n}"
}
