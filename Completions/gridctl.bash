# bash completion for gridctl. Candidates are inserted as they come, escaped; nothing of them is evaluated.

# The program that a word names: quotes taken off, ~ and variables replaced by their values, nothing run.
_gridctl_program() {
    local rest=$1 name value
    rest=${rest//[\"\'\\]/}
    program=
    if [[ $rest == '~/'* ]]; then
        program=$HOME rest=${rest:1}
    elif [[ $rest =~ ^~([A-Za-z_][A-Za-z0-9._-]*)(/.*)$ ]]; then
        rest=${BASH_REMATCH[2]}
        IFS=: read -r _ _ _ _ _ program _ < <(getent passwd "${BASH_REMATCH[1]}" 2>/dev/null)
    fi
    while [[ $rest =~ ^([^$]*)[$]([{]([A-Za-z_][A-Za-z0-9_]*)[}]|([A-Za-z_][A-Za-z0-9_]*))(.*)$ ]]; do
        name=${BASH_REMATCH[3]}${BASH_REMATCH[4]}
        rest=${BASH_REMATCH[5]}
        program+=${BASH_REMATCH[1]}${!name-}
    done
    program+=$rest
}
_gridctl() {
    local line program
    COMPREPLY=()
    _gridctl_program "${COMP_WORDS[0]}"
    # An alias is no program.
    type -P -- "$program" >/dev/null || program=gridctl
    while IFS= read -r line; do COMPREPLY+=("$line"); done < <(
        command "$program" __complete bash "${COMP_LINE:0:COMP_POINT}" "$COMP_WORDBREAKS" 2>/dev/null)
    if [[ ${#COMPREPLY[@]} -eq 1 && ${COMPREPLY[0]} == *[=/,] ]]; then compopt -o nospace; fi
}
complete -o nosort -F _gridctl gridctl
