# The table of the rooms (tools/edges.txt) for tools/edges and tools/symbols: rows[KIND, NAME] = rest
# of the line, and the names of each kind, parted by spaces, in names[KIND].
function read_rooms(table,    row, word, n) {
    while ((getline row <table) > 0) {
        if (row !~ /^[a-z]/) continue
        split(row, word, " ")
        sub(/^[a-z]+[ \t]+[^ \t]+[ \t]*/, "", row)
        rows[word[1], word[2]] = row
        names[word[1]] = names[word[1]] " " word[2]
        n++
    }
    if (n == 0) print "no table of rooms: " table
    return n > 0
}
function under(path, folder) { return path == folder || index(path, folder "/") == 1 }
function owner(path, kind,    n, i, name, best) { # the longest name that path lies under, or ""
    n = split(names[kind], name, " ")
    best = ""
    for (i = 1; i <= n; i++)
        if (under(path, name[i]) && length(name[i]) > length(best)) best = name[i]
    return best
}
