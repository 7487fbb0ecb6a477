# bash completion for gridctl. Candidates are inserted as they come, escaped; nothing of them is evaluated.
_gridctl() {
    local line
    COMPREPLY=()
    while IFS= read -r line; do COMPREPLY+=("$line"); done < <(
        command "${COMP_WORDS[0]}" __complete bash "${COMP_LINE:0:COMP_POINT}" "$COMP_WORDBREAKS" 2>/dev/null)
    if [[ ${#COMPREPLY[@]} -eq 1 && ${COMPREPLY[0]} == *[=/,] ]]; then compopt -o nospace; fi
}
complete -o nosort -F _gridctl gridctl
