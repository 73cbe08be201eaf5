# Reviews the files whose names are on the lines of the input. Writes, separated by tabs:
#   F language lines path              a file
#   N line TODO|FIXME path text        a note
#   S line rule path                   a likely secret (never the secret itself)

BEGIN {
    OFS = "\t"
    known = "rs:Rust c:C h:C cc:C++ cpp:C++ hpp:C++ py:Python sh:Shell bash:Shell js:JavaScript " \
        "mjs:JavaScript jsx:JavaScript ts:TypeScript tsx:TypeScript go:Go java:Java kt:Kotlin " \
        "rb:Ruby php:PHP swift:Swift cs:C# lua:Lua pl:Perl awk:AWK sql:SQL html:HTML css:CSS " \
        "md:Markdown rst:reStructuredText txt:Text toml:TOML yaml:YAML yml:YAML json:JSON xml:XML " \
        "ini:INI cfg:INI proto:Protobuf"
    count = split(known, pairs, " ")
    for (i = 1; i <= count; i++) {
        split(pairs[i], pair, ":")
        languages[pair[1]] = pair[2]
    }
}

function language(path,    name, parts, count) {
    count = split(path, parts, "/")
    name = parts[count]
    if (name == "Makefile" || name == "makefile") return "Make"
    if (name == "Dockerfile") return "Docker"
    count = split(name, parts, ".")
    if (count < 2) return "Other"
    name = tolower(parts[count])
    return (name in languages) ? languages[name] : "Other"
}

# A short piece of a line that is safe to put into a report: printable, no tab, ASCII.
function excerpt(text) {
    gsub(/[\001-\037]/, " ", text)
    gsub(/[\177-\377]/, "?", text)
    sub(/^ +/, "", text)
    return substr(text, 1, 160)
}

# A word that stands alone.
function has_word(text, word) {
    return text ~ ("(^|[^A-Za-z0-9_])" word "([^A-Za-z0-9_]|$)")
}

function long_match(text, pattern, length_min) {
    return match(text, pattern) && RLENGTH >= length_min
}

function secret_rule(text,    lower) {
    if (text ~ /-----BEGIN [A-Z ]*PRIVATE KEY-----/) return "private key"
    if (long_match(text, "AKIA[0-9A-Z]+", 20)) return "AWS access key"
    if (long_match(text, "gh[pousr]_[0-9A-Za-z]+", 40)) return "GitHub token"
    if (long_match(text, "xox[abprs]-[0-9A-Za-z-]+", 20)) return "Slack token"
    lower = tolower(text)
    if (long_match(lower, "(password|passwd|secret|token|api_?-?key)[\"']? *[:=]+ *[\"'][^\"' ]+[\"']", 20))
        return "secret in a text"
    return ""
}

{
    path = $0
    # POSIX names with a slash are never read as options or assignments.
    lines = 0
    while ((got = (getline text < path)) > 0) {
        lines++
        if (has_word(text, "TODO")) note(path, lines, "TODO", text)
        else if (has_word(text, "FIXME")) note(path, lines, "FIXME", text)
        rule = secret_rule(text)
        if (rule != "" && secrets[path]++ < 50) print "S", lines, rule, path
    }
    if (got < 0) {
        print "U", path
        next
    }
    close(path)
    print "F", language(path), lines, path
}

# Notes of one file are capped: a result is a message, and messages are not endless.
function note(path, line, word, text) {
    if (notes[path]++ < 50) print "N", line, word, path, excerpt(text)
}
